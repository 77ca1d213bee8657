import { select } from 'd3-selection';
import { zoom, zoomIdentity, type D3ZoomEvent, type ZoomBehavior } from 'd3-zoom';
import type { Attachment } from 'svelte/attachments';

/** A part of the drawing, in its own pixels. */
export interface Bounds {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** As far as one may go away, unless the map is larger. */
const LEAST = 0.12;
const MOST = 2.5;
/** Fitting never makes cards larger than this. */
const FIT_MOST = 1.2;
const SLOW_MS = 280;

/** Pan and zoom of the map. */
export class Camera {
  x = $state(0);
  y = $state(0);
  k = $state(1);
  width = $state(0);
  height = $state(0);
  /** Somebody moved it: it then stays where it is. */
  touched = $state(false);
  /** Room kept free when fitting: headings above, a little all round. */
  margin = { top: 44, right: 14, bottom: 14, left: 14 };

  #least = LEAST;
  #element: HTMLElement | undefined;
  #zoom: ZoomBehavior<HTMLElement, unknown> | undefined;
  #frame = 0;

  /** Attach to the canvas element. */
  attach: Attachment<HTMLElement> = (element) => {
    this.#element = element;
    this.#zoom = zoom<HTMLElement, unknown>()
      .scaleExtent([this.#least, MOST])
      .clickDistance(4)
      .filter((event: MouseEvent | WheelEvent) => event.button === 0 && !(event.shiftKey && event.type !== 'wheel') && !(event.target as HTMLElement).closest?.('[data-still]'))
      .on('zoom', (event: D3ZoomEvent<HTMLElement, unknown>) => {
        this.x = event.transform.x;
        this.y = event.transform.y;
        this.k = event.transform.k;
        if (event.sourceEvent) this.touched = true;
      });
    select(element).call(this.#zoom).on('dblclick.zoom', null);
    const measure = () => {
      this.width = element.clientWidth;
      this.height = element.clientHeight;
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      observer.disconnect();
      cancelAnimationFrame(this.#frame);
      select(element).on('.zoom', null);
    };
  };

  /** Shows a part of the drawing as large as it fits. */
  fit(bounds: Bounds, options: { animate?: boolean; most?: number; least?: number; keep?: Bounds | undefined; centre?: boolean } = {}): void {
    if (this.width === 0 || bounds.width <= 0) return;
    const { top, right, bottom, left } = this.margin;
    const w = this.width - left - right;
    const h = this.height - top - bottom;
    this.#reach(Math.min(w / bounds.width, h / bounds.height));
    const k = Math.max(options.least ?? this.#least, this.#least, Math.min(options.most ?? FIT_MOST, w / bounds.width, h / bounds.height));
    // What is too wide begins at its left end: core systems first.
    const x = left + Math.max(0, (w - bounds.width * k) / 2) - bounds.x * k;
    const y = top + Math.max(0, (h - bounds.height * k) * 0.42) - bounds.y * k;
    const { keep } = options;
    const [dx, dy] = !keep ? [0, 0] : options.centre ? this.#shiftToMiddle(keep, x, y, k) : this.#shiftFor(keep, x, y, k);
    this.#go(x + dx, y + dy, k, options.animate ?? true);
  }

  /** The part of the drawing that is seen, and `beyond` of it on each side. */
  view(beyond = 0): Bounds {
    const [w, h] = [this.width / this.k, this.height / this.k];
    return { x: -this.x / this.k - w * beyond, y: -this.y / this.k - h * beyond, width: w * (1 + 2 * beyond), height: h * (1 + 2 * beyond) };
  }

  /** Lets people go as far away as it takes to see everything. */
  #reach(fitting: number): void {
    this.#least = Math.min(LEAST, fitting);
    this.#zoom?.scaleExtent([this.#least, MOST]);
  }

  /** Puts a point of the drawing into the middle. */
  centre(x: number, y: number): void {
    this.touched = true;
    this.#go(this.width / 2 - x * this.k, this.height / 2 - y * this.k, this.k, false);
  }

  /** Zooms by a factor around the middle. */
  by(factor: number): void {
    this.to(this.k * factor);
  }

  /** Zooms to a scale around the middle. */
  to(scale: number): void {
    this.touched = true;
    const k = Math.max(this.#least, Math.min(MOST, scale));
    const cx = this.width / 2;
    const cy = this.height / 2;
    this.#go(cx - ((cx - this.x) / this.k) * k, cy - ((cy - this.y) / this.k) * k, k, true);
  }

  /** Brings a card into view, moving as little as needed. */
  reveal(bounds: Bounds): void {
    const [dx, dy] = this.#shiftFor(bounds, this.x, this.y, this.k);
    if (dx !== 0 || dy !== 0) this.#go(this.x + dx, this.y + dy, this.k, true);
  }

  #shiftFor(bounds: Bounds, x: number, y: number, k: number): [number, number] {
    const left = x + bounds.x * k;
    const top = y + bounds.y * k;
    return [
      shift(left, left + bounds.width * k, this.margin.left, this.width - this.margin.right),
      shift(top, top + bounds.height * k, this.margin.top, this.height - this.margin.bottom),
    ];
  }

  #shiftToMiddle(bounds: Bounds, x: number, y: number, k: number): [number, number] {
    return [this.width / 2 - x - (bounds.x + bounds.width / 2) * k, this.height / 2 - y - (bounds.y + bounds.height / 2) * k];
  }

  #go(x: number, y: number, k: number, animate: boolean): void {
    cancelAnimationFrame(this.#frame);
    const from = { x: this.x, y: this.y, k: this.k };
    const still = !animate || matchMedia('(prefers-reduced-motion: reduce)').matches || document.hidden;
    if (still) return this.#apply(x, y, k);
    const begin = performance.now();
    const step = (at: number) => {
      const t = Math.min(1, Math.max(0, (at - begin) / SLOW_MS));
      const e = 1 - (1 - t) ** 3;
      this.#apply(from.x + (x - from.x) * e, from.y + (y - from.y) * e, from.k + (k - from.k) * e);
      if (t < 1) this.#frame = requestAnimationFrame(step);
    };
    this.#frame = requestAnimationFrame(step);
  }

  #apply(x: number, y: number, k: number): void {
    if (this.#element && this.#zoom) select(this.#element).call(this.#zoom.transform, zoomIdentity.translate(x, y).scale(k));
  }
}

function shift(from: number, to: number, least: number, most: number): number {
  if (from < least) return least - from;
  if (to > most) return Math.max(most - to, least - from);
  return 0;
}
