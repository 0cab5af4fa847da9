const WINDOW_MS = 3 * 60 * 1000;
const ALLOWED = 4;

/** Decides whether a server that has crashed is started again: not for the fifth time within three minutes. */
export class Restarts {
  private crashes: number[] = [];

  /** Takes note of a crash at a time in milliseconds, and tells whether to start again. */
  afterCrash(now: number): boolean {
    this.crashes = this.crashes.filter((time) => now - time < WINDOW_MS);
    this.crashes.push(now);
    return this.crashes.length <= ALLOWED;
  }

  /** Forgets the crashes: a person has asked for a start. */
  forget(): void {
    this.crashes = [];
  }
}
