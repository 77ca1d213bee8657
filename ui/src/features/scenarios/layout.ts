import type { DesignStep, ScenarioDesign } from '../../lib/bindings';

/** Columns from core systems to users, left to right, as on every map. */
export const COLUMNS = ['backend', 'system', 'process', 'experience', 'consumer'] as const;
const TITLES: Record<string, string> = { backend: 'Backends', system: 'System', process: 'Process', experience: 'Experience', consumer: 'Users' };

const ROW = 34;
const HEAD = 26;
export const NODE_HEIGHT = 22;

/** A participant or channel, placed. Its middle is at `x`, `y`. */
export interface Placed {
  id: string;
  kind: 'participant' | 'channel';
  layer: string;
  x: number;
  y: number;
  width: number;
}

/** A call or an event, drawn. */
export interface Drawn {
  step: DesignStep;
  event: boolean;
  d: string;
  /** Where its mark stands. */
  at: { x: number; y: number };
  /** Where it arrives, and from which side. */
  head: { x: number; y: number; to: 'left' | 'right' };
}

/** A column. */
export interface Column {
  layer: string;
  title: string;
  x: number;
  width: number;
}

/** A variant as a picture. */
export interface Picture {
  width: number;
  height: number;
  columns: Column[];
  nodes: Placed[];
  steps: Drawn[];
  /** From a publisher to its channel. */
  publications: { id: string; d: string }[];
}

/** Lays a variant out: layers as columns, participants in the order in which a request meets them, channels below their publisher. */
export function layout(design: ScenarioDesign, events: Readonly<Record<string, string | undefined>>, width: number): Picture {
  const layers = COLUMNS.filter((layer) => design.participants.some((one) => one.layer === layer));
  const published = channelsOf(design, events);
  const gap = width < 420 ? 34 : 46;
  const columnWidth = Math.max(78, (width - gap * (layers.length - 1)) / Math.max(1, layers.length));
  const columns = layers.map((layer, i) => ({ layer, title: TITLES[layer] ?? layer, x: i * (columnWidth + gap), width: columnWidth }));
  const rows = layers.map((layer) => design.participants.filter((one) => one.layer === layer).map((one) => one.name));
  const channelsIn = (layer: string) => published.filter((channel) => design.participants.find((one) => one.name === channel.publisher)?.layer === layer);
  // Room for the channels of every variant, so that two pictures side by side have one height.
  const most = Math.max(1, ...layers.map((layer, i) => (rows[i]?.length ?? 0) + Math.max(channelsIn(layer).length, spareRows(design, layer))));
  const nodes: Placed[] = [];
  columns.forEach((column, i) => {
    const names = rows[i] ?? [];
    const channels = channelsIn(column.layer);
    const first = HEAD + ((most - names.length - channels.length) * ROW) / 2 + ROW / 2;
    const placed = { layer: column.layer, x: column.x + column.width / 2, width: column.width - 12 };
    names.forEach((id, row) => nodes.push({ id, kind: 'participant', y: first + row * ROW, ...placed }));
    channels.forEach(({ name }, row) => nodes.push({ id: name, kind: 'channel', y: first + (names.length + row) * ROW, ...placed, width: column.width - 2 }));
  });
  const node = (id: string, kind: Placed['kind']) => nodes.find((one) => one.id === id && one.kind === kind);
  const steps = design.steps.flatMap((step): Drawn[] => {
    const channel = events[step.id];
    const from = channel === undefined ? node(step.caller, 'participant') : node(channel, 'channel');
    const to = node(step.callee, 'participant');
    if (!from || !to) return [];
    return [channel === undefined ? { step, event: false, ...call(from, to, gap) } : { step, event: true, ...delivery(from, to, gap) }];
  });
  const publications = published.flatMap(({ name, publisher }) => {
    const [from, to] = [node(publisher, 'participant'), node(name, 'channel')];
    return from && to ? [{ id: `${publisher} ${name}`, d: `M${from.x},${from.y + NODE_HEIGHT / 2}V${to.y - NODE_HEIGHT / 2}` }] : [];
  });
  return { width, height: HEAD + most * ROW + 4, columns, nodes, steps, publications };
}

/** Channels that a variant uses, each once, under who publishes first. */
function channelsOf(design: ScenarioDesign, events: Readonly<Record<string, string | undefined>>): { name: string; publisher: string }[] {
  const all = new Map<string, string>();
  for (const step of design.steps) {
    const channel = events[step.id];
    if (channel !== undefined && !all.has(channel)) all.set(channel, step.caller);
  }
  return [...all].map(([name, publisher]) => ({ name, publisher }));
}

function spareRows(design: ScenarioDesign, layer: string): number {
  const used = (variant: ScenarioDesign['variants'][number]) => channelsOf(design, variant.events).filter((channel) => design.participants.find((one) => one.name === channel.publisher)?.layer === layer).length;
  return Math.max(0, ...design.variants.map(used));
}

type Line = Pick<Drawn, 'd' | 'at' | 'head'>;

/** A call: a solid curve from the caller's left side to the callee's right side; in one column around its right side. */
function call(from: Placed, to: Placed, gap: number): Line {
  if (from.x > to.x) {
    const [startX, endX] = [from.x - from.width / 2, to.x + to.width / 2 + 5];
    const bend = Math.min((startX - endX) / 2, gap * 0.6);
    return { d: `M${startX},${from.y}C${startX - bend},${from.y} ${endX + bend},${to.y} ${endX},${to.y}`, at: { x: (startX + endX) / 2, y: (from.y + to.y) / 2 }, head: { x: endX, y: to.y, to: 'left' } };
  }
  const startX = from.x + from.width / 2;
  const same = from.x === to.x;
  const endX = same ? to.x + to.width / 2 + 5 : to.x - to.width / 2 - 5;
  const bend = same ? gap / 2 : (endX - startX) / 2;
  return { d: `M${startX},${from.y}C${startX + bend},${from.y} ${same ? endX + bend : endX - bend},${to.y} ${endX},${to.y}`, at: { x: startX + bend * 0.7, y: (from.y + to.y) / 2 }, head: { x: endX, y: to.y, to: same ? 'left' : 'right' } };
}

/** An event: right-angled, dashed. */
function delivery(from: Placed, to: Placed, gap: number): Line {
  if (from.x > to.x) {
    const [startX, endX] = [from.x - from.width / 2, to.x + to.width / 2 + 5];
    const lane = startX - gap * 0.42;
    return { d: `M${startX},${from.y}H${lane}V${to.y}H${endX}`, at: { x: (lane + endX) / 2 + 3, y: to.y }, head: { x: endX, y: to.y, to: 'left' } };
  }
  const same = from.x === to.x;
  const [startX, endX] = [from.x + from.width / 2, same ? to.x + to.width / 2 + 5 : to.x - to.width / 2 - 5];
  const lane = startX + gap * 0.42;
  return { d: `M${startX},${from.y}H${lane}V${to.y}H${endX}`, at: { x: lane, y: (from.y + to.y) / 2 }, head: { x: endX, y: to.y, to: same ? 'left' : 'right' } };
}
