import { formatHash, globalParams, ownParams, parseHash, patched, type Area } from './url';

type Patch = Record<string, string | null>;

/** Where the window is: area and parameters, mirrored in the address bar. */
class Route {
  area = $state<Area>('topology');
  params = $state.raw<Record<string, string>>({});
  /** What each area showed last, so that selection survives moving between areas. */
  #remembered: Partial<Record<Area, Record<string, string>>> = {};

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

  /** Changes parameters in place; `push` makes it a step to go back to. */
  set(patch: Patch, options: { push?: boolean } = {}): void {
    this.#write(this.area, patched(this.params, patch), options.push ?? false);
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
    const { area, params } = parseHash(window.location.hash);
    this.#set(area, params);
  }

  #set(area: Area, params: Record<string, string>): void {
    this.area = area;
    this.params = params;
    this.#remembered[area] = ownParams(params);
  }
}

export const route = new Route();
