import { paint, type Subject, type View } from './paint';
import type { Ink } from './ink';

/** Painted beyond each side of the view, as a share of it: so far it can be moved before something is missing. */
const MARGIN = 0.2;
/** Milliseconds of a frame that painting may take. */
const BUDGET = 5;
/** Pixels of the canvas per pixel of the screen, at most: beyond, nobody sees more. */
const DENSEST = 2;

/** One picture: a canvas, and from where it was taken. */
interface Sheet {
  canvas: HTMLCanvasElement;
  context: CanvasRenderingContext2D;
  taken: View | null;
}

/**
 * Paints a large map while it can be moved: the picture that is there is moved and scaled with the map at once, and a new one takes its
 * place when it is finished. Two sheets, one seen and one worked on.
 */
export class Painter {
  #sheets: [Sheet, Sheet];
  #view: View = { x: 0, y: 0, k: 1, width: 0, height: 0 };
  #subject: Subject | null = null;
  #ink: Ink | null = null;
  #work: { steps: Generator<void>; at: View } | null = null;
  #stale = true;
  #frame = 0;

  constructor(front: HTMLCanvasElement, back: HTMLCanvasElement) {
    this.#sheets = [sheet(front), sheet(back)];
  }

  /** What is to be seen from now on. */
  show(subject: Subject, ink: Ink): void {
    this.#subject = subject;
    this.#ink = ink;
    this.#work = null;
    this.#stale = true;
    this.#next();
  }

  /** The map was moved. */
  move(view: View): void {
    this.#view = view;
    this.#place();
    this.#next();
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#work = null;
    this.#subject = null;
  }

  #next(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#step();
    });
  }

  #step(): void {
    this.#work ??= this.#begin();
    if (!this.#work) return;
    const [seen, worked] = this.#sheets;
    const begin = performance.now();
    let done: boolean | undefined;
    // Where nothing is seen yet nobody waits for a frame: the first picture is finished at once.
    do done = this.#work.steps.next().done;
    while (!done && (seen.taken === null || spent(worked.context, begin) < BUDGET));
    if (done) {
      worked.taken = this.#work.at;
      this.#work = null;
      this.#sheets = [worked, seen];
      this.#place();
    }
    this.#next();
  }

  /** A new picture, if the one that is seen does not do any more. */
  #begin(): { steps: Generator<void>; at: View } | null {
    const { width, height, x, y, k } = this.#view;
    const [seen, { canvas, context }] = this.#sheets;
    if (!this.#subject || !this.#ink || width === 0 || height === 0) return null;
    if (!this.#stale && seen.taken && covers(seen.taken, this.#view)) return null;
    this.#stale = false;
    const density = Math.min(DENSEST, window.devicePixelRatio || 1);
    const [right, below] = [Math.round(width * MARGIN), Math.round(height * MARGIN)];
    const [w, h] = [Math.round((width + 2 * right) * density), Math.round((height + 2 * below) * density)];
    if (canvas.width !== w || canvas.height !== h) {
      [canvas.width, canvas.height] = [w, h];
      [canvas.style.width, canvas.style.height] = [`${w / density}px`, `${h / density}px`];
    }
    const view: View = { x: (x + right) * density, y: (y + below) * density, k: k * density, width: w, height: h };
    return { steps: paint(context, view, density, this.#subject, this.#ink), at: this.#view };
  }

  /** Moves the pictures to where the map is. */
  #place(): void {
    this.#sheets.forEach(({ canvas, taken }, i) => {
      // What is worked on is no part of the page: else the page would be put together anew after every stroke.
      canvas.style.display = i === 0 && taken ? 'block' : 'none';
      if (i > 0 || !taken) return;
      const scale = this.#view.k / taken.k;
      const [right, below] = [Math.round(taken.width * MARGIN), Math.round(taken.height * MARGIN)];
      canvas.style.transform = `translate(${this.#view.x - (taken.x + right) * scale}px, ${this.#view.y - (taken.y + below) * scale}px) scale(${scale})`;
    });
  }
}

function sheet(canvas: HTMLCanvasElement): Sheet {
  // Read back after every step (below), which a canvas in the memory of a graphics card would be slow at. Nothing shines through.
  const context = canvas.getContext('2d', { willReadFrequently: true, alpha: false });
  if (!context) throw new Error('this window cannot paint');
  return { canvas, context, taken: null };
}

/** Milliseconds since, with all that was ordered really painted: else the clock would only tell what ordering takes. */
function spent(context: CanvasRenderingContext2D, begin: number): number {
  context.getImageData(0, 0, 1, 1);
  return performance.now() - begin;
}

/** Whether a picture shows all of the view, as sharp as it can be. */
export function covers(taken: View, now: View): boolean {
  if (taken.k !== now.k || taken.width !== now.width || taken.height !== now.height) return false;
  // A new one is due before its edge is seen.
  const spare = MARGIN * 0.6;
  return Math.abs(taken.x - now.x) <= now.width * spare && Math.abs(taken.y - now.y) <= now.height * spare;
}
