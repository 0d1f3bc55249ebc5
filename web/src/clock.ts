const PATIENCE_MS = 3_000;
/** By how much this machine's own clock may go wrong before the server's is looked at again. */
const TRUST_MS = 2_000;

/** The server's time. This machine's own clock may be hours off, be put right at any moment, or stand still in its sleep. */
export class ServerClock {
  private behind = 0;
  private wall = Date.now();
  private steady = performance.now();

  /** The server's time now, in Unix milliseconds. */
  now(): number {
    return Date.now() + this.behind;
  }

  /** Take over the server's time, as it is told now. */
  set(now: number): void {
    this.wall = Date.now();
    this.steady = performance.now();
    this.behind = now - this.wall;
  }

  /** Ask the server, unless what is known is still good. */
  async check(): Promise<void> {
    const drift = Date.now() - this.wall - (performance.now() - this.steady);
    if (Math.abs(drift) > TRUST_MS) await this.ask();
  }

  /** Ask the server. Where it does not say, what was known has to do. */
  async ask(): Promise<void> {
    try {
      const answer = await fetch(location.pathname, {
        method: "HEAD",
        cache: "no-store",
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const date = Date.parse(answer.headers.get("Date") ?? "");
      if (!Number.isNaN(date)) this.set(date + 500); // the header says whole seconds
    } catch {
      // The connection is gone; whoever needs the time asks again.
    }
  }
}
