import { element, make } from "./element";

const TOAST_MS = 5000;
const TOASTS_MAX = 3;

/** Say something by the way: shown for a moment, and read out when nothing else is. */
export function mention(text: string): void {
  const toasts = element("toasts");
  const toast = make("li", {}, text);
  toasts.append(toast);
  while (toasts.children.length > TOASTS_MAX) toasts.firstElementChild?.remove();
  setTimeout(() => toast.remove(), TOAST_MS);
  say(text);
}

/** Say what is already to be seen: read out when nothing else is. */
export function say(text: string): void {
  readOut("polite", text);
}

/** Say something that cannot wait. */
export function alert(text: string): void {
  readOut("urgent", text);
}

function readOut(region: "polite" | "urgent", text: string): void {
  // A new element each time, so that the same words twice are read twice.
  const line = make("p", {}, text);
  element(region).append(line);
  setTimeout(() => line.remove(), TOAST_MS);
}
