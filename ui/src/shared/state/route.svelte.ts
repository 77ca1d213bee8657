import { backend } from '../../lib/backend';
import { changedKeys, formatHash, globalParams, hashIn, isStep, ownParams, parseHash, patched, type Area, type Change } from './url';

type Patch = Record<string, string | null>;

/** Where the window is: area and parameters, mirrored in the address bar. */
class Route {
  area = $state<Area>('topology');
  params = $state.raw<Record<string, string>>({});
  /** What each area showed last, so that selection survives moving between areas. */
  #remembered: Partial<Record<Area, Record<string, string>>> = {};
  #last: Change | null = null;

  constructor() {
    this.#read();
    window.addEventListener('popstate', () => this.#read());
    window.addEventListener('hashchange', () => this.#read());
  }

  /** A parameter, or null. */
  param(key: string): string | null {
    return this.params[key] ?? null;
  }

  /** Goes to an area: with the parameters given, or as it was left. Time range and environment stay. */
  open(area: Area, params?: Record<string, string>): void {
    const own = params ?? this.#remembered[area] ?? {};
    this.#write(area, { ...globalParams(this.params), ...own }, true);
  }

  /** Goes to the place a link names; false when the text is no link. */
  follow(link: string): boolean {
    const hash = hashIn(link);
    if (hash === null) return false;
    const { area, params } = parseHash(hash);
    this.#write(area, params, true);
    return true;
  }

  /** Changes parameters. That is a step to go back, but for bursts (typing, dragging, a key held down), which are one; `push` says it otherwise. */
  set(patch: Patch, options: { push?: boolean } = {}): void {
    const params = patched(this.params, patch);
    const change = { keys: changedKeys(this.params, params), at: Date.now() };
    const step = options.push ?? isStep(this.#last, change);
    this.#last = change;
    this.#write(this.area, params, step);
  }

  /** A link to what is shown: the address without its token in a browser, the part after `#` elsewhere. */
  link(): string {
    const { origin, pathname } = window.location;
    const hash = formatHash({ area: this.area, params: this.params });
    return backend().capabilities.nativePaths ? `flowglass${hash}` : `${origin}${pathname}${hash}`;
  }

  #write(area: Area, params: Record<string, string>, push: boolean): void {
    const hash = formatHash({ area, params });
    if (hash !== window.location.hash) {
      if (push) window.history.pushState(null, '', hash);
      else window.history.replaceState(null, '', hash);
    }
    this.#set(area, params);
  }

  #read(): void {
    this.#last = null;
    // A window that a link opened has the link itself behind its `#`.
    const deep = hashIn(window.location.hash.slice(1));
    if (deep !== null && deep !== window.location.hash) window.history.replaceState(null, '', deep);
    const { area, params } = parseHash(window.location.hash);
    this.#set(area, params);
  }

  #set(area: Area, params: Record<string, string>): void {
    this.area = area;
    // One step of the address is told twice (popstate and hashchange): what stayed the same asks nothing anew.
    if (changedKeys(this.params, params).length > 0) this.params = params;
    this.#remembered[area] = ownParams(params);
  }
}

export const route = new Route();
