import { backend } from '../../lib/backend';
import type { RuleMatch } from '../../lib/bindings';

/** What a rule can be matched with. */
export type MeaningKind = 'participant' | 'seen' | 'layer' | 'noise';

const WAIT_MS = 120;

/** What patterns mean for what was seen so far. Asked anew when the patterns change. */
export class Meanings {
  #known = $state.raw<ReadonlyMap<string, RuleMatch>>(new Map());

  /** Follows patterns as long as the component lives. */
  follow(kind: () => MeaningKind | null, patterns: () => string[]): void {
    $effect(() => {
      const [wanted, asked] = [kind(), patterns().filter((pattern) => pattern.trim() !== '')];
      if (wanted === null || asked.length === 0) return;
      let gone = false;
      const timer = setTimeout(() => {
        backend().call('rule_matches', { kind: wanted, patterns: asked }).then(
          (answer) => {
            if (!gone) this.#known = new Map(answer.matches.map((match) => [match.pattern, match]));
          },
          // A preview that fails is no preview: saving says what is wrong.
          () => undefined,
        );
      }, WAIT_MS);
      return () => {
        gone = true;
        clearTimeout(timer);
      };
    });
  }

  of(pattern: string): RuleMatch | undefined {
    return this.#known.get(pattern);
  }
}
