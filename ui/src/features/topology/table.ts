import { landscape } from '../../shared/landscape/landscape.svelte';
import type { MapEdge, MapNode } from '../../shared/landscape/merge';
import { layerWord } from '../../shared/layers';

/** A line of the map's table: a participant or an interaction. */
export interface Row {
  id: string;
  type: 'participant' | 'interaction';
  name: string;
  /** Of an interaction: whom. */
  target: string;
  layer: string;
  kind: string;
  rate: number | null;
  count: number;
  errors: number;
  p50: number | null;
  p95: number | null;
  health: string;
  owner: string;
  domain: string;
}

/** What the table sorts by. */
export type Column = Exclude<keyof Row, 'id' | 'type' | 'target'>;

const HEALTH = ['quiet', 'healthy', 'degraded', 'failing'];

/** Lines of what is on the map; what is gone is left out. */
export function rowsOf(nodes: readonly MapNode[], edges: readonly MapEdge[], nameOf = (id: string) => landscape.nameOf(id)): Row[] {
  const figures = (item: MapNode | MapEdge) => ({ rate: item.figures.rate, count: item.figures.count, errors: item.figures.errors, p50: item.figures.p50Ms, p95: item.figures.p95Ms, health: item.health });
  const participants = nodes.filter((node) => node.goneAt === null).map<Row>((node) => ({ id: node.id, type: 'participant', name: node.name, target: '', layer: node.kind === 'topic' ? 'Topic' : layerWord(node.layer), kind: node.system ? `${node.kind}, ${node.system}` : node.kind, ...figures(node), owner: node.owner ?? '', domain: node.domain ?? '' }));
  const interactions = edges.filter((edge) => edge.goneAt === null).map<Row>((edge) => ({ id: edge.id, type: 'interaction', name: nameOf(edge.source), target: nameOf(edge.target), layer: '', kind: edge.kind, ...figures(edge), owner: '', domain: '' }));
  return [...participants, ...interactions];
}

/** Sorted copies; figures the greatest first when `down`, unknown last always. */
export function sorted(rows: readonly Row[], by: Column, down: boolean): Row[] {
  const value = (row: Row) => (by === 'health' ? HEALTH.indexOf(row.health) : by === 'errors' ? row.errors / Math.max(1, row.count) : row[by]);
  return [...rows].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === null || y === null) return x === y ? tie(a, b) : x === null ? 1 : -1;
    const order = typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y);
    return (down ? -order : order) || tie(a, b);
  });
}

function tie(a: Row, b: Row): number {
  return a.name.localeCompare(b.name) || a.target.localeCompare(b.target) || (a.id < b.id ? -1 : 1);
}

/** The table as CSV (RFC 4180). A leading `=`, `+`, `-` or `@` is made text: spreadsheets would run it. */
export function csvOf(rows: readonly Row[]): string {
  const head = ['type', 'name', 'target', 'layer', 'kind', 'rate_per_second', 'count', 'errors', 'p50_ms', 'p95_ms', 'health', 'owner', 'domain'];
  const line = (row: Row) => [row.type, row.name, row.target, row.layer, row.kind, row.rate, row.count, row.errors, row.p50, row.p95, row.health, row.owner, row.domain];
  return [head, ...rows.map(line)].map((cells) => cells.map(cell).join(',')).join('\r\n') + '\r\n';
}

function cell(value: string | number | null): string {
  if (value === null) return '';
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
