import { Channel, invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import { getCurrentWebview } from '@tauri-apps/api/webview';
import { open } from '@tauri-apps/plugin-dialog';
import type { FileContents, ImportView, Requests, Update } from '../bindings';
import { toClipboard } from './clipboard';
import { toBackendError, type Backend, type Background, type DropHandlers, type Picked } from './types';

async function command<T>(name: string, args: Record<string, unknown>): Promise<T> {
  try {
    return await invoke<T>(name, args);
  } catch (thrown) {
    throw toBackendError(thrown);
  }
}

function call<K extends keyof Requests>(name: K, arg: Requests[K][0]): Promise<Requests[K][1]> {
  return command('request', { name, payload: arg });
}

function subscribe(update: (u: Update) => void, connection?: (up: boolean) => void): () => void {
  let ended = false;
  const channel = new Channel<Update>();
  channel.onmessage = (message) => {
    if (!ended) update(message);
  };
  invoke('subscribe', { channel }).then(
    () => connection?.(true),
    () => connection?.(false),
  );
  return () => {
    ended = true;
  };
}

async function pickFiles(): Promise<Picked> {
  const chosen = await open({ multiple: true, title: 'Import files' });
  if (chosen === null) return [];
  return Array.isArray(chosen) ? chosen : [chosen];
}

async function importFiles(files: Picked): Promise<ImportView[]> {
  const paths = files.filter((file): file is string => typeof file === 'string');
  return paths.length > 0 ? [await call('import_paths', { paths })] : [];
}

function onFileDrop(handlers: DropHandlers): () => void {
  const listening = getCurrentWebview().onDragDropEvent(({ payload }) => {
    if (payload.type === 'enter') handlers.enter();
    else if (payload.type === 'leave') handlers.leave();
    else if (payload.type === 'drop') handlers.drop(payload.paths);
  });
  return () => void listening.then((stop) => stop());
}

function onCloseAsked(ask: (place: Background) => void): () => void {
  const listening = listen<Background>('close-asked', ({ payload }) => ask(payload));
  return () => void listening.then((stop) => stop());
}

function onLink(follow: (link: string) => void): () => void {
  const listening = listen<string>('link', ({ payload }) => follow(payload));
  return () => void listening.then((stop) => stop());
}

/** The studio in the same process, behind the window's one command and one channel. */
export function tauriBackend(): Backend {
  return {
    capabilities: { nativePaths: true },
    call,
    subscribe,
    pickFiles,
    importFiles,
    onFileDrop,
    copyText: toClipboard,
    save: (file: FileContents) => command('save_file', { name: file.name, base64: file.base64 }),
    openWorkspace: () => command('open_workspace', {}),
    onCloseAsked,
    onLink,
    closeWindow: (keep) => command('close_window', { keep }),
  };
}
