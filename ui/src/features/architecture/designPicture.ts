import type { DesignShape } from '../../lib/bindings';
import { COLUMNS, columnOf } from './designOf';

/** A card of the picture. */
export interface Card {
  what: 'participant' | 'channel';
  name: string;
  layer: string;
  x: number;
  y: number;
}

/** How a part differs from what was observed: seen only, or designed only. */
export type Mark = 'observed' | 'designed';

/** A line between two cards. */
export interface Line {
  key: string;
  /** Over events, else a call. */
  event: boolean;
  d: string;
  mark: Mark | null;
  /** Where its sign stands. */
  at: { x: number; y: number };
  /** What the mark is about. */
  id: string | null;
}

/** A difference that can be drawn between two cards, by `what name`; without an end, it is about the card. */
export interface Marked {
  id: string;
  from: string;
  to: string | null;
  event: boolean;
  mark: Mark;
}

export interface Picture {
  width: number;
  height: number;
  /** Columns that hold something, left to right. */
  columns: { layer: string; x: number }[];
  cards: Card[];
  lines: Line[];
}

export const CARD = { width: 106, height: 24 };
const GAP = { x: 28, y: 8 };
const HEAD = 26;
/** Rounds of putting cards near those they have to do with. */
const ROUNDS = 4;

/** Layers left to right, topics among them; outside systems stand with the backends at the left, participants without a layer at the right end. */
export function picture(shape: DesignShape, marked: readonly Marked[] = []): Picture {
  const cards: Card[] = [
    ...shape.participants.map((one): Card => ({ what: 'participant', name: one.name, layer: columnOf(one) === 'external' ? 'backend' : columnOf(one), x: 0, y: 0 })),
    ...shape.channels.map((one): Card => ({ what: 'channel', name: one.address, layer: 'event', x: 0, y: 0 })),
  ];
  const columns = COLUMNS.map((layer) => ({ layer, cards: cards.filter((card) => card.layer === layer) })).filter((column) => column.cards.length > 0);
  const known = new Map(cards.map((card) => [`${card.what} ${card.name}`, card]));
  const links = linksOf(shape);
  const extra = marked.filter((one) => one.to !== null && !links.some((link) => link.from === one.from && link.to === one.to && link.event === one.event));
  const ends = [...links, ...extra].flatMap(({ from, to, event }) => {
    const [a, b] = [known.get(from), known.get(to ?? '')];
    const mark = marked.find((one) => one.from === from && one.to === to && one.event === event);
    return a && b ? [{ a, b, event, mark: mark?.mark ?? null, id: mark?.id ?? null }] : [];
  });
  const near = new Map<Card, Card[]>();
  for (const { a, b } of ends) {
    near.set(a, [...(near.get(a) ?? []), b]);
    near.set(b, [...(near.get(b) ?? []), a]);
  }
  columns.forEach((column, i) => column.cards.forEach((card) => (card.x = i * (CARD.width + GAP.x))));
  columns.forEach((column) => place(column.cards));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const column of round % 2 === 0 ? columns : [...columns].reverse()) {
      const wanted = new Map(column.cards.map((card) => [card, mean((near.get(card) ?? []).map((other) => other.y)) ?? card.y]));
      column.cards.sort((a, b) => wanted.get(a)! - wanted.get(b)! || (a.name < b.name ? -1 : 1));
      place(column.cards);
    }
  }
  const most = Math.max(0, ...columns.map((column) => column.cards.length));
  const height = HEAD + most * (CARD.height + GAP.y);
  for (const column of columns) {
    const free = height - HEAD - column.cards.length * (CARD.height + GAP.y);
    column.cards.forEach((card) => (card.y += free / 2));
  }
  return {
    width: Math.max(0, columns.length * (CARD.width + GAP.x) - GAP.x),
    height,
    columns: columns.map(({ layer }, i) => ({ layer, x: i * (CARD.width + GAP.x) })),
    cards,
    // What differs lies on top.
    lines: signed(ends.map(({ a, b, event, mark, id }) => ({ key: `${a.what} ${a.name} ${b.what} ${b.name} ${event}`, event, ...between(a, b, columns), mark, id }))).sort((a, b) => Number(a.mark !== null) - Number(b.mark !== null)),
  };
}

function place(cards: Card[]): void {
  cards.forEach((card, i) => (card.y = HEAD + i * (CARD.height + GAP.y)));
}

function mean(values: number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Who has to do with whom, by `what name`. */
export function linksOf(shape: DesignShape): { from: string; to: string; event: boolean }[] {
  return shape.participants.flatMap((one) => {
    const own = `participant ${one.name}`;
    return [
      ...[...one.calls.map((call) => call.to), ...one.uses].map((to) => ({ from: own, to: `participant ${to}`, event: false })),
      ...one.publishes.map((address) => ({ from: own, to: `channel ${address}`, event: true })),
      ...one.consumes.map((address) => ({ from: `channel ${address}`, to: own, event: true })),
    ];
  });
}

/** Room that a sign needs. */
const SIGN = 15;

/** Signs beside the ends of their lines, where no card is, and none on another. */
function signed(lines: (Omit<Line, 'at'> & { places: Line['at'][] })[]): Line[] {
  const taken: Line['at'][] = [];
  return lines.map(({ places, ...line }) => {
    if (line.mark === null) return { ...line, at: places[0]! };
    const isFree = (place: Line['at']) => taken.every((other) => Math.hypot(other.x - place.x, other.y - place.y) >= SIGN);
    const at = places.find(isFree) ?? places[0]!;
    taken.push(at);
    return { ...line, at };
  });
}

/** Where a line to a height passes a column: there if no card is in the way, else through the nearest gap. */
function passing(cards: readonly Card[], y: number): number {
  const hit = cards.find((card) => y > card.y - GAP.y / 2 && y < card.y + CARD.height + GAP.y / 2);
  if (!hit) return y;
  const [above, below] = [hit.y - GAP.y / 2, hit.y + CARD.height + GAP.y / 2];
  return y - above < below - y ? above : below;
}

/** From side to side, between the cards of the columns it passes; within a column, around its right side. With places for a sign, the best first. */
function between(a: Card, b: Card, columns: readonly { cards: Card[] }[]): { d: string; places: Line['at'][] } {
  const middle = CARD.height / 2;
  if (a.x === b.x) {
    const x = a.x + CARD.width;
    const bend = x + GAP.x * 0.8;
    return { d: `M${x} ${a.y + middle}C${bend} ${a.y + middle} ${bend} ${b.y + middle} ${x} ${b.y + middle}`, places: [{ x: x + GAP.x * 0.6, y: (a.y + b.y) / 2 + middle }, { x: x + GAP.x * 0.4, y: b.y + middle }] };
  }
  const [left, right] = a.x < b.x ? [a, b] : [b, a];
  const [from, to] = [left.x + CARD.width, right.x];
  const [start, end] = [left.y + middle, right.y + middle];
  let d = `M${from} ${start}`;
  let at = { x: from, y: start };
  const go = (x: number, y: number) => {
    const bend = (x - at.x) / 2;
    d += `C${at.x + bend} ${at.y} ${x - bend} ${y} ${x} ${y}`;
    at = { x, y };
  };
  for (const { cards } of columns) {
    const { x } = cards[0]!;
    if (x <= left.x || x >= right.x) continue;
    const y = passing(cards, start + ((end - start) * (x + CARD.width / 2 - from)) / (to - from));
    go(x, y);
    d += `H${x + CARD.width}`;
    at = { x: x + CARD.width, y };
  }
  go(to, end);
  const places = [{ x: to - GAP.x / 2, y: end }, { x: from + GAP.x / 2, y: start }, { x: to - GAP.x / 2, y: end - SIGN }, { x: from + GAP.x / 2, y: start + SIGN }];
  return { d, places: to - from <= GAP.x ? [{ x: (from + to) / 2, y: (start + end) / 2 }, ...places] : places };
}
