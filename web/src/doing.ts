import { alert, mention } from "./announce";
import { element } from "./element";
import { understand } from "./refusals";

/** What a click sets going: one thing at a time a button, and what goes wrong is said. */
export class Doing {
  private readonly busy = new Set<string>();
  /** What one has just asked for oneself, so that only what others do is told. */
  private readonly own = new Set<string>();

  /** `after` is called when something is done, well or not. */
  constructor(private readonly after: () => void) {}

  /** Do it for the button with this id, unless that is at it already. */
  async act(id: string, doing: () => Promise<void>, device = ""): Promise<void> {
    if (this.busy.has(id)) return;
    this.busy.add(id);
    element(id).setAttribute("aria-busy", "true");
    try {
      await doing();
    } catch (error) {
      const words = wrong(error, device);
      if (words) {
        mention(words);
        alert(words);
      }
    } finally {
      this.busy.delete(id);
      element(id).removeAttribute("aria-busy");
      this.after();
    }
  }

  /** Do something to oneself that will be told as `what`. */
  async mine(what: string, doing: Promise<void>): Promise<void> {
    this.own.add(what);
    try {
      await doing;
    } finally {
      // The news of it comes just before or after the answer.
      setTimeout(() => this.own.delete(what), 1500);
    }
  }

  /** Whether this was one's own doing; asked once for each. */
  wasMine(what: string): boolean {
    return this.own.delete(what);
  }
}

/** What went wrong, in words; empty where somebody has only thought better of it. */
function wrong(error: unknown, device: string): string {
  if (error instanceof DOMException && device === "screen") {
    return error.name === "NotAllowedError" ? "" : "Your screen cannot be shared just now.";
  }
  if (error instanceof DOMException && device) return `Your ${device} cannot be used. Allow it beside the address bar.`;
  const { reason, lead } = understand(error);
  return reason === "unknown" ? "That did not work. Try again." : `That did not work. ${lead}`;
}
