import type { FileContents, Requests, Update } from '../bindings';
import { BackendError, type Backend } from './types';

/** Answers by request name. */
export type Answers = { [K in keyof Requests]?: (arg: Requests[K][0]) => Requests[K][1] | Promise<Requests[K][1]> };

/** A backend for unit tests only: fixed answers, updates pushed by hand, every call kept. */
export function mockBackend(answers: Answers): Backend & { push(u: Update): void; calls: { name: string; arg: unknown }[]; saved: FileContents[] } {
  const listeners = new Set<(u: Update) => void>();
  const calls: { name: string; arg: unknown }[] = [];
  const saved: FileContents[] = [];
  return {
    capabilities: { nativePaths: false },
    calls,
    saved,
    push: (u) => listeners.forEach((listener) => listener(u)),
    async call(name, arg) {
      calls.push({ name, arg });
      const answer = answers[name];
      if (!answer) throw new BackendError({ code: 'not-found', message: `no answer for ${name}` });
      return answer(arg);
    },
    subscribe(update) {
      listeners.add(update);
      return () => listeners.delete(update);
    },
    pickFiles: () => Promise.resolve([]),
    importFiles: () => Promise.resolve([]),
    onFileDrop: () => () => {},
    copyText: () => Promise.resolve(),
    save(file) {
      saved.push(file);
      return Promise.resolve(true);
    },
    openWorkspace: () => Promise.resolve(false),
    onLink: () => () => {},
    onCloseAsked: () => () => {},
    closeWindow: () => Promise.resolve(),
  };
}
