import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Paced } from './paced';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Asks for a text; the answer comes so many milliseconds later and is written down if it is still wanted. */
function asking() {
  const paced = new Paced();
  const [asked, told]: [string[], string[]] = [[], []];
  const ask = (text: string, takes: number) =>
    paced.ask(async (isNewest) => {
      asked.push(text);
      await new Promise((done) => setTimeout(done, takes));
      if (isNewest()) told.push(text);
    });
  return { paced, asked, told, ask };
}

it('asks at once', async () => {
  const { asked, told, ask } = asking();
  ask('a', 5);
  expect(asked).toEqual(['a']);
  await vi.advanceTimersByTimeAsync(5);
  ask('ab', 5);
  expect(asked).toEqual(['a', 'ab']);
  await vi.runAllTimersAsync();
  expect(told).toEqual(['a', 'ab']);
});

it('asks for the last of many while an answer is under way, and tells it alone', async () => {
  const { asked, told, ask } = asking();
  ask('a', 500);
  for (const text of ['ab', 'abc', 'abcd']) {
    await vi.advanceTimersByTimeAsync(30);
    ask(text, 5);
  }
  await vi.advanceTimersByTimeAsync(45);
  expect(told).toEqual(['abcd']);
  await vi.runAllTimersAsync();
  expect([asked, told]).toEqual([['a', 'abcd'], ['abcd']]);
});

it('forgets what is not wanted any more', async () => {
  const { paced, asked, told, ask } = asking();
  ask('a', 20);
  ask('ab', 20);
  paced.stop();
  await vi.runAllTimersAsync();
  expect([asked, told]).toEqual([['a'], []]);
});
