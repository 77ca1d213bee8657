const KEPT = 'flowglass.utc';

/** Which zone times are shown in: the computer's own, or UTC by one switch that is kept for the next start. */
class Zone {
  utc = $state(kept());

  /** Shows times in UTC, or in local time. */
  setUtc(on: boolean): void {
    this.utc = on;
    try {
      localStorage.setItem(KEPT, on ? 'on' : 'off');
    } catch {
      // Storage may be blocked: the choice then lasts until the window closes.
    }
  }

  /** As `Intl` wants it; undefined is the computer's own. */
  get id(): string | undefined {
    return this.utc ? 'UTC' : undefined;
  }
}

function kept(): boolean {
  try {
    return localStorage.getItem(KEPT) === 'on';
  } catch {
    return false;
  }
}

export const zone = new Zone();
