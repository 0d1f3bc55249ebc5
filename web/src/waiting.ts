import { element } from "./element";

const TRY_AGAIN_MS = 4_000;

/** How far this machine's clock is behind the server's, in milliseconds. */
export async function clockError(): Promise<number> {
  try {
    const answer = await fetch(location.pathname, { method: "HEAD", cache: "no-store" });
    const date = Date.parse(answer.headers.get("Date") ?? "");
    return Number.isNaN(date) ? 0 : date - Date.now();
  } catch {
    return 0;
  }
}

/** Counts down until the room opens, then calls. Not in one moment for everybody: a crowd comes spread over a second. */
export class Countdown {
  private timer = 0;

  /** Show the time that is left; `due` is called when it is over. */
  start(opensAt: Date, behind: number, due: () => void): void {
    this.stop();
    const end = opensAt.getTime() - behind;
    const late = end <= Date.now();
    const spread = late ? TRY_AGAIN_MS : Math.random() * 1000;
    const goal = Math.max(end, Date.now()) + spread;
    const tick = () => {
      const left = goal - Date.now();
      element("countdown").textContent = end > Date.now() ? spoken(end - Date.now()) : "Any moment now";
      if (left <= 0) due();
      else this.timer = window.setTimeout(tick, Math.min(left, 1000 - (Date.now() % 1000) + 5));
    };
    tick();
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

/** When it opens, in words: `at 14:30`, `on Tuesday, 3 March at 14:30`. */
export function when(moment: Date): string {
  const time = moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  if (moment.toDateString() === new Date().toDateString()) return `at ${time}`;
  return `on ${moment.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" })} at ${time}`;
}

function spoken(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  const days = Math.floor(seconds / 86_400);
  if (days > 0) return days === 1 ? "1 day" : `${days} days`;
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, place) => (place ? String(part).padStart(2, "0") : String(part))).join(":");
}
