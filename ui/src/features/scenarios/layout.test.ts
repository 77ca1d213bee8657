import { describe, expect, it } from 'vitest';
import { layout } from './layout';
import { designOf } from './testing';

describe('a variant as a picture', () => {
  const design = designOf();
  const calls = layout(design, {}, 500);
  const hybrid = layout(design, { post: 'orders.placed', tell: 'orders.placed' }, 500);

  it('stands left to right, core systems left', () => {
    expect(calls.columns.map((column) => column.layer)).toEqual(['system', 'process', 'experience']);
    const x = (id: string) => calls.nodes.find((node) => node.id === id)!.x;
    expect(x('erp')).toBeLessThan(x('order'));
    expect(x('order')).toBeLessThan(x('web'));
  });
  it('draws each step once, as call or event', () => {
    expect(calls.steps.map((drawn) => drawn.event)).toEqual([false, false, false, false]);
    expect(hybrid.steps.filter((drawn) => drawn.event).map((drawn) => drawn.step.id)).toEqual(['post', 'tell']);
    expect(hybrid.nodes.filter((node) => node.kind === 'channel').map((node) => node.id)).toEqual(['orders.placed']);
    expect(hybrid.publications).toHaveLength(1);
  });
  it('has one height for all variants, so that nothing moves', () => expect(hybrid.height).toBe(calls.height));
  it('lets nothing overlap', () => {
    for (const picture of [calls, hybrid]) {
      const places = picture.nodes.map((node) => `${node.x} ${node.y}`);
      expect(new Set(places).size).toBe(places.length);
      for (const node of picture.nodes) expect(node.y).toBeLessThan(picture.height);
    }
  });
});
