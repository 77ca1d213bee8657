/** Colours of the painted map, as the tokens have them now. */
export interface Ink {
  ground: string;
  band: string;
  bandLine: string;
  card: string;
  outline: string;
  faint: string;
  text: string;
  quiet: string;
  figure: string;
  call: string;
  head: string;
  event: string;
  eventCard: string;
  eventLine: string;
  failing: string;
  failingCard: string;
  failingLine: string;
  degraded: string;
  found: string;
  layers: Readonly<Record<string, string>>;
  /** CSS family of names. */
  font: string;
}

/** Reads them from an element; where the system sets the colours, its own. */
export function inkOf(element: Element): Ink {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const font = style.fontFamily;
  const layers = Object.fromEntries(['backend', 'system', 'process', 'experience', 'consumer'].map((layer) => [layer, token(`--ly-${layer}`)]));
  if (matchMedia('(forced-colors: active)').matches) {
    const [text, ground, mark] = ['CanvasText', 'Canvas', 'LinkText'];
    return {
      ground, band: ground, bandLine: 'GrayText', card: ground, outline: text, faint: 'GrayText', text, quiet: text, figure: text, call: text, head: text, event: text, eventCard: ground, eventLine: text,
      failing: mark, failingCard: ground, failingLine: mark, degraded: text, found: 'Highlight', layers, font,
    };
  }
  return {
    ground: token('--bg-0'), band: token('--band'), bandLine: token('--band-line'), card: token('--bg-2'), outline: token('--line-2'), faint: token('--line'), text: token('--tx-1'), quiet: token('--tx-3'), figure: token('--tx-2'),
    call: token('--sync-soft'), head: token('--sync'), event: token('--event'), eventCard: token('--event-bg'), eventLine: token('--event-line'),
    failing: token('--err'), failingCard: token('--err-bg'), failingLine: token('--err-line'), degraded: token('--warn'), found: token('--focus'), layers, font,
  };
}
