import type { Attachment } from 'svelte/attachments';

const NAME = 'settings-search';
/** Of what is in a section for the search: text, and what fields hold. */
const WORDS = /\s+/;

/** The words of a search: all must be found. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().split(WORDS).filter((word) => word !== '');
}

/** Whether a text has all words. */
export function hasAll(text: string, words: string[]): boolean {
  const folded = text.toLowerCase();
  return words.every((word) => folded.includes(word));
}

/** What a part of the page says: its text, its name, what stands in its fields. */
export function saidBy(element: Element): string {
  const fields = [...element.querySelectorAll<HTMLInputElement | HTMLSelectElement>('input, select')];
  const named = [element, ...element.querySelectorAll('[aria-label], [placeholder]')].map((one) => `${one.getAttribute('aria-label') ?? ''} ${one.getAttribute('placeholder') ?? ''}`);
  return [element.textContent, ...fields.map((field) => field.value), ...named, (element as HTMLElement).dataset['words'] ?? ''].join(' ');
}

/** Shows only the sections of a page that have all words, marks the words in them, and tells how many each page has. */
export function filterSections(search: () => string, found: (counts: Record<string, number>) => void): Attachment<HTMLElement> {
  return (root) => {
    const words = wordsOf(search());
    const apply = (): void => {
      observer.disconnect();
      found(filtered(root, words));
      mark(root, words);
      observer.observe(root, { childList: true, subtree: true, characterData: true });
    };
    const observer = new MutationObserver(apply);
    apply();
    return () => {
      observer.disconnect();
      filtered(root, []);
      mark(root, []);
    };
  };
}

/** Hides what has not all words; answers how many sections of each page are left. */
function filtered(root: HTMLElement, words: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const page of root.querySelectorAll<HTMLElement>('[data-page]')) {
    const name = page.dataset['page'] ?? '';
    const whole = words.length > 0 && hasAll(`${page.querySelector('header')?.textContent ?? ''} ${page.dataset['words'] ?? ''}`, words);
    const sections = [...page.querySelectorAll<HTMLElement>('section')];
    const shown = sections.filter((section) => whole || hasAll(saidBy(section), words));
    for (const section of sections) section.hidden = !shown.includes(section);
    counts[name] = shown.length;
    page.hidden = words.length > 0 && shown.length === 0;
  }
  return counts;
}

/** Marks words in the text, where the browser can (CSS Custom Highlight API). */
function mark(root: HTMLElement, words: string[]): void {
  if (typeof CSS === 'undefined' || !('highlights' in CSS)) return;
  const ranges: Range[] = [];
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node !== null && words.length > 0; node = texts.nextNode()) {
    const text = (node.textContent ?? '').toLowerCase();
    for (const word of words) {
      for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + word.length);
        ranges.push(range);
      }
    }
  }
  if (ranges.length > 0) CSS.highlights.set(NAME, new Highlight(...ranges));
  else CSS.highlights.delete(NAME);
}
