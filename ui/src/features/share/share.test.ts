import { describe, expect, it } from 'vitest';
import { deepLink, FORMS } from './forms';
import { aboutEvent, aboutJourney, aboutNode } from './notes.svelte';

describe('sharing', () => {
  it('names a journey in a link and in a note', () => {
    expect(deepLink('4bf9')).toBe('flowglass://journey/4bf9');
    expect([aboutJourney('4bf9'), aboutEvent(7), aboutNode('service:web')]).toEqual(['journey:4bf9', 'event:7', 'node:service:web']);
  });

  it('offers every form once', () => {
    expect(new Set(FORMS.map((form) => form.id)).size).toBe(FORMS.length);
  });
});
