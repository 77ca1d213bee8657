import type { Attachment } from 'svelte/attachments';
import type { Bounds, Camera } from './camera.svelte';

/** Smaller than this is a click, pixels. */
const LEAST = 4;

/** A rectangle drawn with Shift held: what it touches is selected. */
export class RubberBand {
  /** In pixels of the canvas. */
  box = $state.raw<Bounds | null>(null);
  #camera: Camera;
  #done: (box: Bounds) => void;
  #endedAt = 0;

  constructor(camera: Camera, done: (box: Bounds) => void) {
    this.#camera = camera;
    this.#done = done;
  }

  /** Whether a rectangle was just finished: the click that follows is no click. */
  justDone(): boolean {
    return performance.now() - this.#endedAt < 60;
  }

  attach: Attachment<HTMLElement> = (element) => {
    let start: { x: number; y: number } | null = null;
    const at = (event: PointerEvent) => {
      const area = element.getBoundingClientRect();
      return { x: event.clientX - area.left, y: event.clientY - area.top };
    };
    const down = (event: PointerEvent) => {
      if (!event.shiftKey || event.button !== 0) return;
      start = at(event);
      // A drag that selects does not mark text.
      event.preventDefault();
    };
    const move = (event: PointerEvent) => {
      if (!start) return;
      const end = at(event);
      const [width, height] = [Math.abs(end.x - start.x), Math.abs(end.y - start.y)];
      if (this.box || width > LEAST || height > LEAST) this.box = { x: Math.min(start.x, end.x), y: Math.min(start.y, end.y), width, height };
    };
    const up = () => {
      start = null;
      const { box } = this;
      if (!box) return;
      this.box = null;
      this.#endedAt = performance.now();
      const { x, y, k } = this.#camera;
      this.#done({ x: (box.x - x) / k, y: (box.y - y) / k, width: box.width / k, height: box.height / k });
    };
    element.addEventListener('pointerdown', down);
    window.addEventListener('pointermove', move);
    window.addEventListener('pointerup', up);
    window.addEventListener('pointercancel', up);
    return () => {
      element.removeEventListener('pointerdown', down);
      window.removeEventListener('pointermove', move);
      window.removeEventListener('pointerup', up);
      window.removeEventListener('pointercancel', up);
    };
  };
}
