import type { Attachment } from 'svelte/attachments';

/** Where a floating panel stands to its anchor. */
export type Placement = 'below-start' | 'below-end' | 'above-start' | 'right-end';

/** Keeps a fixed panel next to its anchor and inside the window. */
export function floatAt(anchor: () => HTMLElement | undefined, placement: Placement): Attachment<HTMLElement> {
  return (panel) => {
    const place = () => {
      const a = anchor()?.getBoundingClientRect();
      if (!a) return;
      const { offsetWidth: w, offsetHeight: h } = panel;
      let left = placement.endsWith('end') && placement !== 'right-end' ? a.right - w : a.left;
      let top = placement.startsWith('above') ? a.top - h - 6 : a.bottom + 6;
      if (placement === 'right-end') {
        left = a.right + 6;
        top = a.bottom - h;
      }
      if (top + h > window.innerHeight - 8) top = Math.max(8, a.top - h - 6);
      left = Math.max(8, Math.min(left, window.innerWidth - w - 8));
      panel.style.left = `${Math.round(left)}px`;
      panel.style.top = `${Math.round(Math.max(8, top))}px`;
    };
    place();
    const size = new ResizeObserver(place);
    size.observe(panel);
    window.addEventListener('resize', place);
    return () => {
      size.disconnect();
      window.removeEventListener('resize', place);
    };
  };
}

/** Calls back on a press outside of the elements. */
export function pressOutside(inside: () => (HTMLElement | undefined)[], outside: () => void): () => void {
  const listener = (event: PointerEvent) => {
    const target = event.target as Node;
    if (!inside().some((element) => element?.contains(target))) outside();
  };
  window.addEventListener('pointerdown', listener, true);
  return () => window.removeEventListener('pointerdown', listener, true);
}
