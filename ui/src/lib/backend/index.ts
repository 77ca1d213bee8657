import { httpBackend } from './http';
import { tauriBackend } from './tauri';
import type { Backend } from './types';

export { BackendError, isApiError, toBackendError } from './types';
export type { Backend, Background, DropHandlers, Picked } from './types';

let current: Backend | undefined;

/** The way to the studio: the window's own where there is one, else HTTP to where the page came from. */
export function backend(): Backend {
  current ??= '__TAURI_INTERNALS__' in window ? tauriBackend() : httpBackend();
  return current;
}

/** Replaces the backend; for tests. */
export function useBackend(other: Backend): void {
  current = other;
}
