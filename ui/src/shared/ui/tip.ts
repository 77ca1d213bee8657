import type { Attachment } from 'svelte/attachments';

let shown: HTMLElement | null = null;

/** A tooltip after 300 ms of hovering or focus. It only repeats what can be read elsewhere. */
export function tip(text: string | null | undefined): Attachment<HTMLElement> {
  return (element) => {
    if (!text) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const hide = () => {
      clearTimeout(timer);
      shown?.remove();
      shown = null;
    };
    const show = () => {
      hide();
      timer = setTimeout(() => {
        shown = document.createElement('div');
        shown.className = 'tip';
        shown.textContent = text;
        document.body.append(shown);
        const a = element.getBoundingClientRect();
        const { offsetWidth: w, offsetHeight: h } = shown;
        const below = a.bottom + 6 + h < window.innerHeight;
        shown.style.left = `${Math.max(6, Math.min(a.left + a.width / 2 - w / 2, window.innerWidth - w - 6))}px`;
        shown.style.top = `${below ? a.bottom + 6 : a.top - h - 6}px`;
      }, 300);
    };
    element.addEventListener('pointerenter', show);
    element.addEventListener('pointerleave', hide);
    element.addEventListener('pointerdown', hide);
    return () => {
      hide();
      element.removeEventListener('pointerenter', show);
      element.removeEventListener('pointerleave', hide);
      element.removeEventListener('pointerdown', hide);
    };
  };
}
