import { say } from "./announce";
import type { ServerClock } from "./clock";
import { element } from "./element";
import { nextTick, remaining, when } from "./moments";

const TRY_AGAIN_MS = 4_000;
/** How often to look whether the hours are still the same. */
const LOOK_MS = 60_000;
/** A crowd that waits comes spread over this time, not in one moment. */
const CROWD_MS = 1_000;

/** A room that is not open yet: says when it opens, counts down, and lets in who waits. */
export class Opening {
  private timer = 0;
  private opensAt: Date | null = null;
  private waiting = false;
  private lookedAt = 0;
  private notBefore = 0;

  /** `due` is called when it opens while somebody waits; `look` now and then, for other hours. */
  constructor(
    private readonly clock: ServerClock,
    private readonly due: () => void,
    private readonly look: () => void,
  ) {
    const stop = element("waiting-stop");
    stop.addEventListener("click", () => {
      if (stop.getAttribute("aria-disabled") === "true") return; // it has begun
      this.waiting = false;
      this.show();
      element("join").focus();
    });
  }

  /** Whether it is still to come. */
  get ahead(): boolean {
    return this.opensAt !== null;
  }

  /** Count down to this moment. Where it has come by our reckoning, the server may still think otherwise for a while. */
  expect(opensAt: Date): void {
    const come = opensAt.getTime() <= this.clock.now();
    if (come && !this.waiting) return this.close();
    this.opensAt = opensAt;
    this.lookedAt = performance.now();
    this.notBefore = this.lookedAt + (come ? TRY_AGAIN_MS : 0);
    this.show();
    void this.tick();
  }

  /** Somebody wants to be let in when it opens. */
  wait(): void {
    if (this.waiting) return;
    this.waiting = true;
    this.show();
    element("waiting-stop").focus();
    say("You will be let in when the room opens.");
  }

  /** It matters no more. */
  close(): void {
    clearTimeout(this.timer);
    this.opensAt = null;
    this.waiting = false;
    this.show();
  }

  private async tick(): Promise<void> {
    const { opensAt } = this;
    await this.clock.check();
    if (!opensAt || opensAt !== this.opensAt) return; // something else has happened meanwhile
    clearTimeout(this.timer);
    const ahead = opensAt.getTime() - this.clock.now();
    element("countdown").textContent = ahead > 0 ? remaining(ahead) : "Any moment now";
    const left = Math.max(ahead, this.notBefore - performance.now());
    if (left > 0) {
      if (performance.now() - this.lookedAt > LOOK_MS) {
        this.lookedAt = performance.now();
        this.look();
      }
      this.timer = window.setTimeout(() => void this.tick(), nextTick(left));
    } else if (this.waiting) {
      this.timer = window.setTimeout(this.due, Math.random() * CROWD_MS);
    } else {
      this.close();
      say("The room is open now. You can join.");
    }
  }

  private show(): void {
    const { opensAt, waiting } = this;
    element("opening").hidden = opensAt === null;
    element("join").hidden = waiting;
    element("join-word").textContent = opensAt ? "Join when it opens" : "Join";
    element("waiting-stop").hidden = !waiting;
    if (!opensAt) return;
    element("opening-title").textContent = `The room opens ${when(opensAt, this.clock.now())}`;
    element("opening-lead").textContent = waiting
      ? "Stay here: you will be let in as soon as it does."
      : "Get ready meanwhile. Whoever waits here is let in as soon as it does.";
  }
}
