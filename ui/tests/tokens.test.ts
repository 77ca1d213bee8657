// @vitest-environment node
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('../src/styles/tokens.css', import.meta.url), 'utf8');

/** Colours of one theme by token. */
function theme(name: string): Map<string, string> {
  const at = css.indexOf(`[data-theme="${name}"]`);
  const block = css.slice(css.indexOf('{', at), css.indexOf('}', at));
  return new Map([...block.matchAll(/--([\w-]+):(#[0-9A-Fa-f]{6})\b/g)].map((match) => [match[1]!, match[2]!]));
}

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/** WCAG 2.2 contrast ratio. */
function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light! + 0.05) / (dark! + 0.05);
}

const SURFACES = ['bg-0', 'bg-1', 'bg-2', 'bg-3', 'bg-inset'];
/** Text on every surface: 4.5 to 1. */
const TEXT = ['tx-1', 'tx-2', 'tx-3'];
/** Text and marks on their own backgrounds and on panels. */
const COLOURED: [string, string[]][] = [
  ['err', ['bg-0', 'bg-1', 'bg-2', 'err-bg']],
  ['warn', ['bg-0', 'bg-1', 'bg-2', 'warn-bg']],
  ['ok', ['bg-0', 'bg-1', 'bg-2', 'ok-bg']],
  ['event', ['bg-0', 'bg-1', 'bg-2', 'event-bg']],
  ['accent', ['bg-0', 'bg-1', 'bg-2', 'accent-bg']],
  ['tx-1', ['event-bg', 'accent-bg', 'err-bg', 'warn-bg', 'ok-bg', 'band']],
  ['tx-on-accent', ['accent-solid']],
];
/** Outlines of controls and meaningful graphics: 3 to 1. */
const GRAPHICS: [string, string[]][] = [
  ['line-3', ['bg-0', 'bg-1', 'bg-2']],
  ['focus', SURFACES],
  ['sel', ['bg-0', 'bg-1', 'bg-2', 'band']],
  ['sync', ['bg-0', 'bg-1', 'band']],
  ['event', ['bg-0', 'bg-1', 'band']],
  ['err', ['band']],
  ...['backend', 'system', 'process', 'experience', 'consumer'].map((layer): [string, string[]] => [`ly-${layer}`, ['bg-0', 'bg-1', 'bg-2', 'band']]),
];

describe.each(['dark', 'light'])('contrast in the %s theme', (name) => {
  const colours = theme(name);
  const check = (front: string, back: string, least: number) => {
    const [a, b] = [colours.get(front), colours.get(back)];
    expect(a, front).toBeDefined();
    expect(b, back).toBeDefined();
    expect(contrast(a!, b!), `${front} ${a} on ${back} ${b}`).toBeGreaterThanOrEqual(least);
  };
  it('of text is at least 4.5', () => {
    for (const front of TEXT) for (const back of SURFACES) check(front, back, 4.5);
    for (const [front, backs] of COLOURED) for (const back of backs) check(front, back, 4.5);
  });
  it('of controls and meaningful graphics is at least 3', () => {
    for (const [front, backs] of GRAPHICS) for (const back of backs) check(front, back, 3);
  });
});

it('has the same tokens in both themes', () => {
  expect([...theme('light').keys()].sort()).toEqual([...theme('dark').keys()].sort());
});
