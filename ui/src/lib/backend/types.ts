import type { ApiError, FileContents, ImportView, Requests, Update } from '../bindings';

/** Files chosen or dropped: paths where the window may read them itself, else their contents. */
export type Picked = string[] | File[];

/** Where a window goes that is closed while the program goes on: the tray, or the task bar where there is no tray. */
export type Background = 'tray' | 'minimised';

/** What is told about files held over the window. */
export interface DropHandlers {
  /** Files are held over the window. */
  enter(): void;
  /** They went away again. */
  leave(): void;
  /** They were dropped. */
  drop(files: Picked): void;
}

/** The one way to the studio: a window (Tauri) or a browser (HTTP) behind the same face. */
export interface Backend {
  /** What this way can do. */
  readonly capabilities: { readonly nativePaths: boolean };
  /** Asks one request; rejects with {@link BackendError}. */
  call<K extends keyof Requests>(name: K, arg: Requests[K][0]): Promise<Requests[K][1]>;
  /** Pushed changes until the returned function is called; `connection` tells when the stream is lost and back. */
  subscribe(update: (u: Update) => void, connection?: (up: boolean) => void): () => void;
  /** The system's file dialog; empty when cancelled. */
  pickFiles(): Promise<Picked>;
  /** Starts importing; progress comes as updates. */
  importFiles(files: Picked): Promise<ImportView[]>;
  /** Files dropped anywhere on the window. */
  onFileDrop(handlers: DropHandlers): () => void;
  /** Puts text on the clipboard. */
  copyText(text: string | Promise<string>): Promise<void>;
  /** Lets people keep a file: the system's dialog in the window, a download in a browser. False when they changed their mind. */
  save(file: FileContents): Promise<boolean>;
  /** Lets people choose a workspace file and opens it; false when they changed their mind. Only where `nativePaths`. */
  openWorkspace(): Promise<boolean>;
  /** Another start of the program was given a link: follow it. */
  onLink(follow: (link: string) => void): () => void;
  /** Somebody closed the window while data arrives: ask what to do, then call {@link Backend.closeWindow}. */
  onCloseAsked(ask: (place: Background) => void): () => void;
  /** Answers that: true goes on receiving without the window, false ends the program, null leaves the window open. */
  closeWindow(keep: boolean | null): Promise<void>;
}

/** An {@link ApiError} as an exception. Callers look at `code`, people read `message`. */
export class BackendError extends Error implements ApiError {
  readonly code: string;
  constructor(error: ApiError) {
    super(error.message);
    this.name = 'BackendError';
    this.code = error.code;
  }
}

/** Makes a {@link BackendError} of anything thrown. */
export function toBackendError(thrown: unknown): BackendError {
  if (thrown instanceof BackendError) return thrown;
  if (isApiError(thrown)) return new BackendError(thrown);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new BackendError({ code: 'internal', message });
}

/** Whether a value has the wire shape of an error. */
export function isApiError(value: unknown): value is ApiError {
  if (typeof value !== 'object' || value === null) return false;
  const { code, message } = value as Record<string, unknown>;
  return typeof code === 'string' && typeof message === 'string';
}
