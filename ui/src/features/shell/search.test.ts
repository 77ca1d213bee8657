import { describe, expect, it } from 'vitest';
import { matches } from './search';

const nodes = ['order-prc-api', 'web-orders-exp-api', 'reorder-sys-api', 'crm-sys-api'].map((name) => ({ id: name, name }));

describe('matches', () => {
  it('puts names that begin so first, then words, then the rest', () => {
    expect(matches(nodes, ' Order', 8).map((node) => node.name)).toEqual(['order-prc-api', 'web-orders-exp-api', 'reorder-sys-api']);
  });
  it('finds nothing for nothing', () => expect(matches(nodes, '  ', 8)).toEqual([]));
});
