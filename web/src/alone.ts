import { element } from "./element";
import { addressIn } from "./invite";

const COPIED_MS = 2500;

/** Says that nobody else is in the room, and how others get in. */
export class Alone {
  private met = false;

  constructor() {
    const button = element<HTMLButtonElement>("alone-copy");
    button.addEventListener("click", () => void this.copy(button));
  }

  /** Show it to somebody who is alone; a moderator is told how to invite. */
  show(alone: boolean, moderates: boolean): void {
    this.met ||= !alone;
    element("alone").hidden = !alone;
    element("alone-title").textContent = this.title;
    element("alone-guest").hidden = moderates;
    element("alone-host").hidden = !moderates;
    element("alone-command").textContent = command();
    element("alone-copy").hidden = !moderates || !navigator.clipboard;
  }

  get title(): string {
    return this.met ? "Nobody else is here now" : "Nobody else is here yet";
  }

  private async copy(button: HTMLButtonElement): Promise<void> {
    const copied = await navigator.clipboard.writeText(command()).then(
      () => true,
      () => false,
    );
    button.textContent = copied ? "Copied" : "Not allowed to copy";
    setTimeout(() => (button.textContent = "Copy command"), COPIED_MS);
  }
}

/** What prints a guest's link. A moderator's own link is never offered: whoever opens it moderates. */
function command(): string {
  return `parlour room link ${addressIn(location.pathname) ?? ""}`;
}
