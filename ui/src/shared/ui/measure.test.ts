import { describe, expect, it } from 'vitest';
import { fitMiddle } from './measure';

const byLength = (text: string) => text.length;

describe('fitMiddle', () => {
  it('leaves what fits', () => expect(fitMiddle('order-prc-api', 13, byLength)).toBe('order-prc-api'));
  it('uses all the room and keeps more of the end', () => {
    const short = fitMiddle('web-orders-exp-api', 12, byLength);
    expect(short).toHaveLength(12);
    expect(short.endsWith('exp-api')).toBe(true);
  });
  it('gives up with dots', () => expect(fitMiddle('web-orders', 2, byLength)).toBe('…'));
});
