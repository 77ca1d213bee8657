/** Between the last key and the question, while an answer is under way, milliseconds. */
const WAIT_MS = 40;

/**
 * Questions that follow the keys: asked at once while none is under way, else a moment after the last key, so that fast typing does
 * not ask for every letter and a slow answer holds nothing up.
 */
export class Paced {
  #serial = 0;
  #underWay = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Asks in place of what was asked before; `isNewest` tells whether the answer is still wanted. */
  ask(question: (isNewest: () => boolean) => Promise<void>): void {
    this.stop();
    const serial = this.#serial;
    const begin = async () => {
      this.#underWay += 1;
      try {
        await question(() => serial === this.#serial);
      } finally {
        this.#underWay -= 1;
      }
    };
    if (this.#underWay === 0) void begin();
    else this.#timer = setTimeout(() => void begin(), WAIT_MS);
  }

  /** What was asked is not wanted any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#serial += 1;
  }
}
