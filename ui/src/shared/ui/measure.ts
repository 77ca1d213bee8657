/** Width of text in the window's fonts, and shortening in the middle by that width. */

let context: CanvasRenderingContext2D | null | undefined;
const widths = new Map<string, number>();
const MOST_KEPT = 5000;

/** Width in pixels of text at 12 px and a weight. Without a canvas (unit tests) an average is used. */
export function textWidth(text: string, weight = 500, size = 12): number {
  const font = `${weight} ${size}px "Inter Variable", Inter, system-ui, sans-serif`;
  const key = `${font} ${text}`;
  const known = widths.get(key);
  if (known !== undefined) return known;
  context ??= document.createElement('canvas').getContext?.('2d') ?? null;
  if (!context) return text.length * size * 0.55;
  context.font = font;
  const width = context.measureText(text).width;
  if (widths.size > MOST_KEPT) widths.clear();
  widths.set(key, width);
  return width;
}

/** Width of a card's name: the medium weight, set a little tighter. */
export function nameWidth(text: string): number {
  return textWidth(text) - 0.14 * text.length;
}

/** Forgets widths; needed once when the fonts have loaded. */
export function forgetWidths(): void {
  widths.clear();
}

/** Shortens text in the middle until it fits, keeping more of the end, which tells siblings apart. */
export function fitMiddle(text: string, most: number, width: (text: string) => number = textWidth): string {
  if (width(text) <= most) return text;
  for (let kept = text.length - 1; kept > 2; kept -= 1) {
    const tail = Math.ceil(kept * 0.58);
    const short = `${text.slice(0, kept - tail)}…${text.slice(text.length - tail)}`;
    if (width(short) <= most) return short;
  }
  return '…';
}
