import type { FileContents, ImportView, Requests, Update } from '../bindings';
import { bytesOf } from './base64';
import { toClipboard } from './clipboard';
import { BackendError, isApiError, type Backend, type DropHandlers, type Picked } from './types';

const CODE_OF_STATUS: Record<number, string> = { 400: 'bad-request', 404: 'not-found', 409: 'held', 503: 'unavailable' };

/** Reads an answer, or throws what went wrong; an answer that is not ours becomes a sentence with the status. */
export async function readAnswer<T>(response: Response): Promise<T> {
  const text = await response.text();
  let body: unknown;
  try {
    body = text === '' ? {} : JSON.parse(text);
  } catch {
    body = undefined;
  }
  if (response.ok && body !== undefined) return body as T;
  if (isApiError(body)) throw new BackendError(body);
  if (response.status === 401 || response.status === 403) {
    throw new BackendError({ code: 'unavailable', message: 'This browser is not signed in. Open the link that flowglass serve printed.' });
  }
  const code = CODE_OF_STATUS[response.status] ?? 'internal';
  throw new BackendError({ code, message: `Flowglass answered ${response.status} ${response.statusText}`.trim() + '.' });
}

async function send<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch {
    throw new BackendError({ code: 'unavailable', message: 'Flowglass does not answer. Is flowglass serve still running?' });
  }
  return readAnswer<T>(response);
}

function call<K extends keyof Requests>(name: K, arg: Requests[K][0]): Promise<Requests[K][1]> {
  return send(`/api/request/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(arg) });
}

function subscribe(update: (u: Update) => void, connection?: (up: boolean) => void): () => void {
  let source: EventSource | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const open = () => {
    source = new EventSource('/api/updates');
    source.onopen = () => connection?.(true);
    source.onmessage = (message: MessageEvent<string>) => update(JSON.parse(message.data) as Update);
    source.onerror = () => {
      connection?.(false);
      // A refused stream is not retried by browsers; do it ourselves, slowly.
      if (source?.readyState === EventSource.CLOSED && !ended) retry = setTimeout(open, 2000);
    };
  };
  open();
  return () => {
    ended = true;
    clearTimeout(retry);
    source?.close();
  };
}

function pickFiles(): Promise<Picked> {
  return new Promise((resolve) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = true;
    input.addEventListener('change', () => resolve([...(input.files ?? [])]));
    input.addEventListener('cancel', () => resolve([]));
    input.click();
  });
}

async function importFiles(files: Picked): Promise<ImportView[]> {
  const started: ImportView[] = [];
  for (const file of files) {
    if (typeof file === 'string') {
      started.push(await call('import_paths', { paths: [file] }));
    } else {
      started.push(await send<ImportView>(`/api/import?name=${encodeURIComponent(file.name)}`, { method: 'POST', body: file }));
    }
  }
  return started;
}

function onFileDrop(handlers: DropHandlers): () => void {
  const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  const over = (event: DragEvent) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    handlers.enter();
  };
  const leave = (event: DragEvent) => {
    if (event.relatedTarget === null) handlers.leave();
  };
  const drop = (event: DragEvent) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    handlers.drop([...(event.dataTransfer?.files ?? [])]);
  };
  window.addEventListener('dragover', over);
  window.addEventListener('dragleave', leave);
  window.addEventListener('drop', drop);
  return () => {
    window.removeEventListener('dragover', over);
    window.removeEventListener('dragleave', leave);
    window.removeEventListener('drop', drop);
  };
}

async function copyText(text: string | Promise<string>): Promise<void> {
  // Typed as if it were always there; a page from another machine without TLS has none.
  if (navigator.clipboard as Clipboard | undefined) return toClipboard(text);
  const area = document.createElement('textarea');
  area.value = await text;
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

/** Hands a file to the browser's downloads; where it goes is the browser's affair. */
function save(file: FileContents): Promise<boolean> {
  const url = URL.createObjectURL(new Blob([bytesOf(file.base64)], { type: file.mediaType }));
  const link = document.createElement('a');
  link.href = url;
  link.download = file.name;
  link.click();
  // The download has taken the address over by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return Promise.resolve(true);
}

/** The studio over loopback HTTP, as `flowglass serve --ui` offers it. */
export function httpBackend(): Backend {
  return {
    capabilities: { nativePaths: false },
    call,
    subscribe,
    pickFiles,
    importFiles,
    onFileDrop,
    copyText,
    save,
    openWorkspace: () => Promise.resolve(false),
    // A browser opens links itself.
    onLink: () => () => {},
    // A tab is closed by the browser; the server goes on by itself.
    onCloseAsked: () => () => {},
    closeWindow: () => Promise.resolve(),
  };
}
