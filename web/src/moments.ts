/** Points in time and stretches of it, in words. */

/** The moment that a text of the server names, RFC 3339; `null` for anything else. */
export function moment(text: unknown): Date | null {
  const found = typeof text === "string" ? Date.parse(text) : Number.NaN;
  return Number.isNaN(found) ? null : new Date(found);
}

/** When something is, seen from `now`: `at 14:30`, `on Tuesday, 3 March at 14:30`. */
export function when(at: Date, now: number): string {
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const today = new Date(now);
  if (at.toDateString() === today.toDateString()) return `at ${time}`;
  const year = at.getFullYear() === today.getFullYear() ? undefined : "numeric";
  return `on ${at.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", year })} at ${time}`;
}

/** A stretch of time for a countdown: `0:09`, `1:05:00`, `3 days`. */
export function remaining(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const days = Math.floor(seconds / 86_400);
  if (days > 0) return days === 1 ? "1 day" : `${days} days`;
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, place) => (place ? String(part).padStart(2, "0") : String(part))).join(":");
}

/** Milliseconds until the shown second changes, where `left` are left. */
export function nextTick(left: number): number {
  return Math.max(20, left % 1000 || 1000);
}
