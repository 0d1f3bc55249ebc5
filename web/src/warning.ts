import { alert } from "./announce";
import type { ServerClock } from "./clock";
import { element } from "./element";
import { nextTick, remaining } from "./moments";
import type { Removal } from "./room";

const AHEAD_MS = 60_000;
/** A timer may not be set further ahead than this; then it is looked at anew. */
const LOOK_MS = 60_000;

/** Says for the last minute before it that somebody is about to be removed. */
export class Warning {
  private timer = 0;
  private removal: Removal | null = null;
  private said = false;

  constructor(private readonly clock: ServerClock) {}

  /** This is when, from now on. */
  expect(removal: Removal | null): void {
    if (removal?.at.getTime() === this.removal?.at.getTime() && removal?.everybody === this.removal?.everybody) return;
    this.removal = removal;
    this.said = false;
    void this.tick();
  }

  private async tick(): Promise<void> {
    const { removal } = this;
    await this.clock.check();
    if (removal !== this.removal) return; // it is another one meanwhile
    clearTimeout(this.timer);
    const left = removal ? removal.at.getTime() - this.clock.now() : Infinity;
    const banner = element("warning");
    banner.hidden = left > AHEAD_MS;
    if (!removal) return;
    if (left > AHEAD_MS) {
      this.timer = window.setTimeout(() => void this.tick(), Math.min(left - AHEAD_MS + 20, LOOK_MS));
      return;
    }
    element("warning-what").textContent = removal.everybody ? "The room ends for everybody in" : "Your time in this room is up in";
    element("warning-left").textContent = remaining(left);
    if (!this.said) alert(removal.everybody ? `The room ends in ${spoken(left)}.` : `Your time in this room is up in ${spoken(left)}.`);
    this.said = true;
    if (left > 0) this.timer = window.setTimeout(() => void this.tick(), nextTick(left));
  }
}

function spoken(left: number): string {
  const seconds = Math.max(0, Math.round(left / 1000));
  return seconds > 50 ? "one minute" : seconds === 1 ? "one second" : `${seconds} seconds`;
}
