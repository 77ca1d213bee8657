import type { FileContents } from '../../lib/bindings';
import { fileOf } from '../topology/export';

/** What a drawing needs of its style to look the same outside of the page. */
const KEPT = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linejoin', 'opacity', 'font-size', 'font-weight', 'text-anchor'] as const;
const MARGIN = 12;
const HEAD = 26;
const FOOT = 24;

/** A drawing of the page as a file that stands alone: colours of the theme, a title, and what it shows. */
export function drawingOf(svg: SVGSVGElement | null, name: string, title: string, sentence: string): FileContents {
  if (svg === null) throw new Error('there is no picture now');
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const [from, to] = [[svg, ...svg.querySelectorAll('*')], [copy, ...copy.querySelectorAll('*')]];
  from.forEach((element, i) => {
    const style = getComputedStyle(element);
    for (const key of KEPT) to[i]?.setAttribute(key, style.getPropertyValue(key));
    to[i]?.removeAttribute('class');
    to[i]?.removeAttribute('style');
  });
  const root = getComputedStyle(document.documentElement);
  const token = (role: string) => root.getPropertyValue(role).trim();
  const [width, height] = [svg.clientWidth || Number(svg.getAttribute('width')), svg.clientHeight || Number(svg.getAttribute('height'))];
  const text = (y: number, size: number, weight: number, colour: string, words: string) => `<text x="${MARGIN}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${colour}">${escaped(words)}</text>`;
  copy.setAttribute('x', String(MARGIN));
  copy.setAttribute('y', String(HEAD + 8));
  const body = new XMLSerializer().serializeToString(copy);
  const [all, tall] = [width + 2 * MARGIN, height + HEAD + FOOT + 16];
  const file = `<svg xmlns="http://www.w3.org/2000/svg" width="${all}" height="${tall}" viewBox="0 0 ${all} ${tall}" font-family="Inter, system-ui, sans-serif">
<title>${escaped(title)}</title><desc>${escaped(sentence)}</desc>
<rect width="100%" height="100%" fill="${token('--bg-1')}"/>
${text(22, 13, 600, token('--tx-1'), title)}
${body}
${text(tall - 12, 11, 400, token('--tx-2'), sentence)}
</svg>
`;
  return fileOf(name, 'image/svg+xml', file);
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
}

/** Rows as CSV (RFC 4180). A leading `=`, `+`, `-` or `@` of a text is made harmless: spreadsheets would run it. */
export function csvOf(rows: readonly (readonly (string | number | null)[])[]): string {
  return rows.map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

function cell(value: string | number | null): string {
  if (value === null) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
