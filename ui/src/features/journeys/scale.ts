import { duration } from '../../shared/format';
import type { Part } from './tree';

/** What a scale is made of: one bar. */
export interface Bar {
  startAt: number;
  endAt: number;
  part: Part;
}

/** A piece of the axis: time at the section's scale, or a collapsed gap. */
export interface Segment {
  kind: 'time' | 'gap';
  part: Part;
  fromAt: number;
  toAt: number;
  x: number;
  width: number;
}

/** A section with a scale of its own. */
export interface Section {
  part: Part;
  fromAt: number;
  toAt: number;
  x: number;
  width: number;
  pxPerMs: number;
}

/** A mark on the axis. */
export interface Tick {
  x: number;
  label: string;
}

/** From time to place; monotone, so that a bar over several pieces stays one bar. */
export interface Scale {
  originAt: number;
  width: number;
  /** Room right of the axis for what stands beside the last bars. */
  room: number;
  sections: Section[];
  segments: Segment[];
  x(at: number): number;
}

/** Idle time above this share of its section is collapsed (DESIGN.md, waterfall). */
const GAP_SHARE = 0.2;
const GAP_WIDTH = 32;
/** Enough for a duration, and for a delivery number beside it. */
const ROOM = 66;
const ROOM_FOR_PILLS = 104;
/** A section never gets less than this share of the room. */
const LEAST_SHARE = 0.17;
const NICE = [1, 2, 2.5, 5];

/** Builds the axis over a width in pixels, some of it kept free on the right. */
export function buildScale(bars: Bar[], whole: number): Scale {
  const room = bars.some((bar) => bar.part === 'redelivery') ? Math.max(ROOM, Math.min(ROOM_FOR_PILLS, whole * 0.2)) : ROOM;
  const width = Math.max(100, whole - room);
  const originAt = bars.length === 0 ? 0 : least(bars.map((bar) => bar.startAt));
  const parts = sectionsOf(bars, originAt);
  const pieces = parts.map((section) => piecesOf(section, bars));
  const gaps = pieces.flat().filter((piece) => piece.kind === 'gap').length;
  const gapWidth = gaps === 0 ? 0 : Math.min(GAP_WIDTH, (width * 0.35) / gaps);
  const active = Math.max(10, width - gaps * gapWidth);
  const shares = sharesOf(parts.map((section) => 4 + bars.filter((bar) => bar.part === section.part).length));
  const sections: Section[] = [];
  const segments: Segment[] = [];
  let x = 0;
  parts.forEach((section, i) => {
    const own = pieces[i] ?? [];
    const busy = sum(own.filter((piece) => piece.kind === 'time').map((piece) => piece.toAt - piece.fromAt));
    const pxPerMs = ((shares[i] ?? 1) * active) / Math.max(busy, 1e-6);
    const from = x;
    for (const piece of own) {
      const wide = piece.kind === 'gap' ? gapWidth : (piece.toAt - piece.fromAt) * pxPerMs;
      segments.push({ ...piece, part: section.part, x, width: wide });
      x += wide;
    }
    sections.push({ ...section, x: from, width: x - from, pxPerMs });
  });
  return { originAt, width, room, sections, segments, x: (at) => place(segments, at) };
}

/** Where the room right of a place ends: at the next gap, or at the end of everything. */
export function roomAfter(scale: Scale, x: number): number {
  const gap = scale.segments.find((segment) => segment.kind === 'gap' && segment.x >= x - 1);
  return gap ? gap.x : scale.width + scale.room;
}

/** Marks in nice units, at most one per 46 px, none inside gaps. */
export function ticksOf(scale: Scale, apart = 46): Tick[] {
  const ticks: Tick[] = [];
  let lastX = Number.NEGATIVE_INFINITY;
  for (const section of scale.sections) {
    const step = niceStep(apart / section.pxPerMs);
    for (const segment of scale.segments.filter((piece) => piece.kind === 'time' && inside(piece, section))) {
      const first = Math.ceil((segment.fromAt - scale.originAt) / step - 1e-6);
      for (let n = first; scale.originAt + n * step <= segment.toAt + 1e-6; n += 1) {
        const x = segment.x + (scale.originAt + n * step - segment.fromAt) * section.pxPerMs;
        if (x - lastX < apart * 0.9 || x > scale.width - 12) continue;
        ticks.push({ x, label: tickLabel(n * step, step) });
        lastX = x;
      }
    }
  }
  return ticks;
}

/** What a gap says: how long nothing happened, and why where that is known. */
export function gapLabel(gap: Segment, first: boolean): string {
  const long = duration(gap.toAt - gap.fromAt);
  if (gap.part === 'redelivery') return `redelivery backoff ${long}`;
  return gap.part === 'event' && first ? `async gap ${long}` : `idle ${long}`;
}

/** 1, 2, 2.5 or 5 times a power of ten, not below `least` milliseconds. */
export function niceStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(atLeast, 1e-6)));
  const factor = NICE.find((n) => n * power >= atLeast * 0.999);
  return factor === undefined ? 10 * power : factor * power;
}

/** An offset with no more digits than its step needs: `250 ms`, `3.4 s`, `2 min`. */
export function tickLabel(ms: number, step: number): string {
  if (Math.abs(ms) < 1e-9) return '0';
  const [unit, size] = unitOf(ms, step);
  const exact = (digits: number) => Math.abs(((step / size) * 10 ** digits) % 1) < 1e-6;
  const digits = [0, 1, 2].find(exact) ?? 3;
  return `${(ms / size).toFixed(digits)} ${unit}`;
}

function unitOf(ms: number, step: number): [string, number] {
  if (ms >= 120_000 && step >= 6_000) return ['min', 60_000];
  if (ms >= 1000) return ['s', 1000];
  return ms >= 1 || step >= 0.1 ? ['ms', 1] : ['µs', 0.001];
}

/** Sections in time: until the caller has its answer, until the first repeated delivery, the rest. */
function sectionsOf(bars: Bar[], originAt: number): { part: Part; fromAt: number; toAt: number }[] {
  if (bars.length === 0) return [];
  const of = (part: Part) => bars.filter((bar) => bar.part === part);
  const endAt = most(bars.map((bar) => bar.endAt));
  const waitEnd = most([originAt, ...of('sync').map((bar) => bar.endAt)]);
  const again = least([Number.POSITIVE_INFINITY, ...of('redelivery').map((bar) => bar.startAt)]);
  const cuts: { part: Part; fromAt: number; toAt: number }[] = [];
  if (waitEnd > originAt) cuts.push({ part: 'sync', fromAt: originAt, toAt: waitEnd });
  const eventEnd = Math.min(endAt, Math.max(waitEnd, again));
  const eventLast = most([waitEnd, ...of('event').map((bar) => Math.min(bar.endAt, eventEnd))]);
  if (eventEnd > waitEnd && eventLast > waitEnd) cuts.push({ part: 'event', fromAt: waitEnd, toAt: again < endAt ? eventLast : eventEnd });
  const from = cuts.at(-1)?.toAt ?? originAt;
  if (again <= endAt && endAt > from) cuts.push({ part: 'redelivery', fromAt: from, toAt: endAt });
  if (cuts.length === 0) cuts.push({ part: bars[0]?.part ?? 'sync', fromAt: originAt, toAt: originAt + 1 });
  return cuts;
}

/** Active time and collapsed idle time of a section, the longest gaps first judged. */
function piecesOf(section: { fromAt: number; toAt: number }, bars: Bar[]): Omit<Segment, 'x' | 'width' | 'part'>[] {
  const busy = bars
    .map((bar) => [Math.max(bar.startAt, section.fromAt), Math.min(bar.endAt, section.toAt)] as const)
    .filter(([from, to]) => to >= from)
    .sort((a, b) => a[0] - b[0]);
  const gaps: { fromAt: number; toAt: number }[] = [];
  let reached = section.fromAt;
  for (const [from, to] of busy) {
    if (from > reached) gaps.push({ fromAt: reached, toAt: from });
    reached = Math.max(reached, to);
  }
  const idle = sum(gaps.map((gap) => gap.toAt - gap.fromAt));
  const active = Math.max(section.toAt - section.fromAt - idle, 1e-6);
  const collapsed = gaps.filter((gap) => gap.toAt - gap.fromAt > (GAP_SHARE / (1 - GAP_SHARE)) * active && gap.toAt - gap.fromAt > 1);
  const pieces: Omit<Segment, 'x' | 'width' | 'part'>[] = [];
  let at = section.fromAt;
  for (const gap of collapsed) {
    // Air around what happens, so that bars do not touch the zig-zag.
    const air = Math.min((gap.toAt - gap.fromAt) * 0.1, active * 0.06);
    const fromAt = gap.fromAt + (gap.fromAt > section.fromAt ? air : 0);
    const toAt = gap.toAt - air;
    if (fromAt > at) pieces.push({ kind: 'time', fromAt: at, toAt: fromAt });
    pieces.push({ kind: 'gap', fromAt, toAt });
    at = toAt;
  }
  pieces.push({ kind: 'time', fromAt: at, toAt: Math.max(section.toAt, at + 1e-6) });
  return pieces;
}

function place(segments: Segment[], at: number): number {
  const first = segments[0];
  if (!first || at <= first.fromAt) return first?.x ?? 0;
  for (const segment of segments) {
    if (at > segment.toAt) continue;
    const share = (at - segment.fromAt) / Math.max(segment.toAt - segment.fromAt, 1e-9);
    return segment.x + Math.max(0, share) * segment.width;
  }
  const last = segments[segments.length - 1];
  return last ? last.x + last.width : 0;
}

function inside(segment: Segment, section: Section): boolean {
  return segment.fromAt >= section.fromAt - 1e-9 && segment.toAt <= section.toAt + 1e-3 && segment.part === section.part;
}

/** Shares by weight, none below the least, together 1. */
function sharesOf(weights: number[]): number[] {
  const total = sum(weights) || 1;
  const raised = weights.map((weight) => Math.max(weight / total, LEAST_SHARE));
  const over = sum(raised);
  return raised.map((share) => share / over);
}

function sum(values: number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
function least(values: number[]): number {
  return values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}
function most(values: number[]): number {
  return values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
}
