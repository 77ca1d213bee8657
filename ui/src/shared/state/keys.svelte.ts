import { SvelteSet } from 'svelte/reactivity';

/** A key of the window or of a view. `key` as in KeyboardEvent.key, `Ctrl+` in front, or two after each other: `g t`. */
export interface KeyBinding {
  key: string;
  /** What the key list says. */
  label: string;
  /** How the key list writes it, when not as `key`. */
  shown?: string;
  run: (event: KeyboardEvent) => void;
}

/** A group of bindings, as long as its owner is mounted. */
interface Group {
  title: string;
  bindings: KeyBinding[];
}

const SEQUENCE_MS = 1200;
const LETTERS = 'flowglass.letters';

/** The keyboard: one listener, groups bound by views. Later groups win over earlier ones. */
class Keys {
  groups = new SvelteSet<Group>();
  /** Single letters can be turned off; the choice is kept for the next start. */
  letters = $state(readLetters());
  #first: { key: string; at: number } | null = null;

  /** Turns single letters on or off. */
  setLetters(on: boolean): void {
    this.letters = on;
    try {
      localStorage.setItem(LETTERS, on ? 'on' : 'off');
    } catch {
      // Storage may be blocked: the choice then lasts until the window closes.
    }
  }

  /** Adds a group; call the answer to remove it. Meant for `$effect(() => keys.bind(…))`. */
  bind(title: string, bindings: KeyBinding[]): () => void {
    const group = { title, bindings };
    this.groups.add(group);
    return () => this.groups.delete(group);
  }

  /** Handles a key press anywhere in the window. */
  handle(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.altKey || event.metaKey) return;
    const writing = isWriting(event.target);
    const single = event.key.length === 1 && !event.ctrlKey;
    // Space and Enter press whatever button or link has the focus.
    if ((event.key === ' ' || event.key === 'Enter') && isPressable(event.target)) return;
    if (writing && (single || isEditing(event.key)) && event.key !== 'Escape') return;
    // A dialog has the keyboard to itself, Esc included.
    if (document.querySelector('dialog[open]')) return;
    if (single && !this.letters) return;
    const name = (event.ctrlKey ? 'Ctrl+' : '') + (event.shiftKey && event.key.length > 1 ? 'Shift+' : '') + event.key.toLowerCase();
    const sequence = this.#first && event.timeStamp - this.#first.at < SEQUENCE_MS ? `${this.#first.key} ${name}` : null;
    this.#first = null;
    const all = [...this.groups].reverse().flatMap((group) => group.bindings);
    const found = (sequence && all.find((b) => norm(b.key) === sequence)) || all.find((b) => norm(b.key) === name);
    if (found) {
      event.preventDefault();
      found.run(event);
    } else if (all.some((b) => norm(b.key).startsWith(`${name} `))) {
      this.#first = { key: name, at: event.timeStamp };
    }
  }
}

function readLetters(): boolean {
  try {
    return localStorage.getItem(LETTERS) !== 'off';
  } catch {
    return true;
  }
}

function norm(key: string): string {
  return key.replace(/^Ctrl\+(.*)$/, (_, rest: string) => `Ctrl+${rest.toLowerCase()}`).replace(/^(?!Ctrl|Shift)(.*)$/, (all) => all.toLowerCase()).replace(/^Shift\+(.*)$/, (_, rest: string) => `Shift+${rest.toLowerCase()}`);
}

function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !['checkbox', 'radio', 'button', 'range'].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || target.isContentEditable;
}

function isPressable(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('button, a[href], summary, [role="button"], [role="tab"], [role="option"], input') !== null;
}

function isEditing(key: string): boolean {
  return key.startsWith('Arrow') || ['Home', 'End', 'Enter', 'Backspace', 'Delete'].includes(key);
}

export const keys = new Keys();
