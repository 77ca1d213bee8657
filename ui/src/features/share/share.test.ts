import { describe, expect, it } from 'vitest';
import { deepLink, FORMS } from './forms';
import { aboutJourney, journeyOf } from './notes.svelte';

describe('sharing', () => {
  it('names a journey in a link and in a note', () => {
    expect(deepLink('4bf9')).toBe('flowglass://journey/4bf9');
    expect(journeyOf(aboutJourney('4bf9'))).toBe('4bf9');
    expect(journeyOf('participant:x')).toBeNull();
  });

  it('offers every form once', () => {
    expect(new Set(FORMS.map((form) => form.id)).size).toBe(FORMS.length);
  });
});
