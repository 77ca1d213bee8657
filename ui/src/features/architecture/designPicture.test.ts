import { describe, expect, it } from 'vitest';
import type { DesignedParticipantView, DesignShape } from '../../lib/bindings';
import { CARD, picture } from './designPicture';

const participant = (name: string, layer: string, calls: string[], consumes: string[] = []): DesignedParticipantView => ({
  name, layer, kind: 'service', system: null, domain: null, owner: null, criticality: null, description: null, aliases: [], servers: [], operations: [],
  calls: calls.map((to) => ({ to, operations: [] })), publishes: [], consumes, uses: [],
});
const channel = (address: string) => ({ address, described: true, system: null, owner: null, description: null, aliases: [], messages: [], publishers: [], consumers: [] });

describe('the picture of a design', () => {
  it('leads lines between the cards of the columns they pass', () => {
    const shape: DesignShape = {
      title: '', description: null,
      participants: [
        ...['a', 'b', 'c'].map((name) => participant(`${name}-sys`, 'system', [])),
        ...['a', 'b', 'c'].map((name) => participant(`${name}-prc`, 'process', ['a-sys', 'b-sys', 'c-sys'])),
        ...['a', 'b'].map((name) => participant(`${name}-exp`, 'experience', ['a-sys', 'c-sys'], ['orders.placed'])),
      ],
      channels: ['orders.placed', 'orders.paid', 'orders.sent', 'orders.lost'].map(channel),
    };
    const { cards, lines } = picture(shape);
    let passed = 0;
    for (const { d } of lines) {
      for (const [, x, y, end] of d.matchAll(/([\d.-]+) ([\d.-]+)H([\d.-]+)/g)) {
        passed += 1;
        expect(Number(end) - Number(x)).toBe(CARD.width);
        const hit = cards.filter((card) => card.x === Number(x) && Number(y) > card.y && Number(y) < card.y + CARD.height);
        expect(hit.map((card) => card.name)).toEqual([]);
      }
    }
    expect(passed).toBeGreaterThan(10);
  });
});
