import { backend } from '../../lib/backend';
import type { Mark } from '../../lib/bindings';
import { clock } from '../times';

/** The workspace's named instants. */
class MarkList {
  /** Newest first. */
  list = $state.raw<Mark[]>([]);

  /** Asks for them again. */
  async load(): Promise<void> {
    this.list = (await backend().call('marks', {})).marks;
  }

  /** When a mark is; null when there is none of this name. */
  at(name: string): number | null {
    return this.list.find((mark) => mark.name === name)?.at ?? null;
  }

  /** Sets a mark named by its time, and gives its name. */
  async setAt(at: number): Promise<string> {
    const name = `From ${clock(at)}`;
    this.list = (await backend().call('set_mark', { name, at, renames: null })).marks;
    return name;
  }

  /** Gives a mark another name. */
  async rename(from: string, to: string): Promise<void> {
    this.list = (await backend().call('set_mark', { name: to, at: null, renames: from })).marks;
  }

  /** Removes a mark; no data goes. */
  async remove(name: string): Promise<void> {
    this.list = (await backend().call('remove_mark', { name })).marks;
  }
}

export const marks = new MarkList();
