import type { FindingParticipant, ImpactView } from '../../lib/bindings';

/** Cards of one column at most; more are counted. */
const MOST = 8;
/** Hops drawn; farther ones stand in the last column. */
const HOPS = 3;
const HEIGHT = 42;
const GAP_Y = 10;
const GAP_X = 20;
const HEAD = 22;

/** A card of the blast radius. */
export interface RadiusCard {
  id: string;
  who: FindingParticipant;
  column: number;
  x: number;
  y: number;
  width: number;
  height: number;
  /** Share of what it handles, null for the one that is down. */
  share: number | null;
  perHour: number;
  /** `down`, `fails`, `degrades`, `user`. */
  verdict: string;
  /** Failures seen, and how many it failed with. */
  seen: [number, number];
}

/** The blast radius as it is drawn. */
export interface Radius {
  columns: { title: string; x: number; more: number }[];
  cards: RadiusCard[];
  lines: { key: string; d: string; soft: boolean }[];
  height: number;
}

/** Places the participants: the one that is down on the left, whoever fails with it by hops, users on the right. */
export function layRadius(view: ImpactView, width: number): Radius {
  const hops = Math.min(HOPS, Math.max(0, ...view.hits.map((hit) => hit.hops)));
  const titles = ['Selected', ...Array.from({ length: hops }, (_, i) => (i === 0 ? '1 hop' : i + 1 === HOPS ? `${HOPS} hops or more` : `${i + 1} hops`)), ...(view.users.length > 0 ? ['Reaches'] : [])];
  const columnWidth = Math.max(90, Math.min(190, (width - GAP_X * (titles.length - 1)) / titles.length));
  const columns = titles.map((title, i) => ({ title, x: i * (columnWidth + GAP_X), more: 0 }));
  const cards: RadiusCard[] = [];
  const counts = titles.map(() => 0);
  const add = (column: number, card: Pick<RadiusCard, 'who' | 'share' | 'perHour' | 'verdict' | 'seen'>) => {
    const at = counts[column] ?? 0;
    const head = columns[column];
    if (!head) return;
    if (at >= MOST) {
      head.more += 1;
      return;
    }
    counts[column] = at + 1;
    cards.push({ ...card, id: card.who.id, column, x: head.x, y: HEAD + at * (HEIGHT + GAP_Y), width: columnWidth, height: HEIGHT });
  };
  add(0, { who: view.who, share: null, perHour: view.perHour, verdict: 'down', seen: [0, 0] });
  for (const hit of view.hits) add(Math.min(hit.hops, HOPS), { who: hit.who, share: hit.share, perHour: hit.perHour, verdict: hit.verdict, seen: [hit.failures, hit.failedWith] });
  for (const user of view.users) add(titles.length - 1, { who: user.who, share: user.share, perHour: user.perHour, verdict: 'user', seen: [0, 0] });
  centre(cards, Math.max(...counts));
  return { columns, cards, lines: lines(view, cards), height: HEAD + Math.max(1, ...counts) * (HEIGHT + GAP_Y) };
}

/** Short columns stand in the middle of the tallest. */
function centre(cards: RadiusCard[], most: number): void {
  const perColumn = new Map<number, number>();
  for (const card of cards) perColumn.set(card.column, (perColumn.get(card.column) ?? 0) + 1);
  for (const card of cards) card.y += ((most - (perColumn.get(card.column) ?? 0)) * (HEIGHT + GAP_Y)) / 2;
}

function lines(view: ImpactView, cards: RadiusCard[]): Radius['lines'] {
  const placed = new Map(cards.map((card) => [`${card.verdict === 'user'}${card.id}`, card]));
  const find = (id: string) => placed.get(`false${id}`);
  const out: Radius['lines'] = [];
  const join = (from: RadiusCard | undefined, to: RadiusCard | undefined, soft: boolean) => {
    if (from && to && from !== to) out.push({ key: `${from.id} ${to.id}`, d: curve(from, to), soft });
  };
  for (const hit of view.hits) join(find(hit.hops === 1 ? view.who.id : hit.via), find(hit.who.id), hit.verdict === 'degrades');
  // Users come in where nobody else calls.
  const called = new Set(view.hits.filter((hit) => hit.hops > 1).map((hit) => hit.via));
  const ends = view.hits.filter((hit) => !called.has(hit.who.id)).map((hit) => find(hit.who.id));
  const entries = (ends.some((card) => card?.who.layer === 'experience') ? ends.filter((card) => card?.who.layer === 'experience') : ends).slice(0, MOST);
  for (const card of cards.filter((candidate) => candidate.verdict === 'user')) for (const end of entries.length > 0 ? entries : [find(view.who.id)]) join(end, card, false);
  return out;
}

function curve(from: RadiusCard, to: RadiusCard): string {
  const [x1, y1, x2, y2] = [from.x + from.width, from.y + from.height / 2, to.x, to.y + to.height / 2];
  const middle = (x1 + x2) / 2;
  return `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
}
