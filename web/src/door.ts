import { moment } from "./moments";

const PATIENCE_MS = 3_000;

/** What stands on the room's door. */
export interface Door {
  readonly name: string;
  readonly topic: string;
  readonly description: string;
  /** Whether each session is recorded from its start. */
  readonly recorded: boolean;
  /** From when, until when one may come in, and when everybody has to go. */
  readonly opensAt: Date | null;
  readonly closesAt: Date | null;
  readonly endsAt: Date | null;
  /** The server's time, in Unix milliseconds. */
  readonly now: number;
}

/** What the room is called and for, for who may go in; `null` where the server does not say, or not in time. */
export async function readDoor(page: string, token: string): Promise<Door | null> {
  try {
    const answer = await fetch(`${page.replace(/[?#].*/, "").replace(/\/$/, "")}/door`, {
      headers: { Authorization: `Bearer ${token}` },
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!answer.ok) return null;
    const found = (await answer.json()) as Record<string, unknown>;
    const text = (name: string) => (typeof found[name] === "string" ? found[name] : "");
    return {
      name: text("display_name") || text("name"),
      topic: text("topic"),
      description: text("description"),
      recorded: found["recorded"] === true,
      opensAt: moment(found["opens_at"]),
      closesAt: moment(found["closes_at"]),
      endsAt: moment(found["ends_at"]),
      now: Number(found["now"]) || Date.now(),
    };
  } catch {
    return null;
  }
}

/** Why nobody gets in by this door any more, as the reason of a refusal; `null` while one may, or will. */
export function shut(door: Door): "over" | "closed" | null {
  if (door.endsAt && door.now >= door.endsAt.getTime()) return "over";
  if (door.closesAt && door.now >= door.closesAt.getTime()) return "closed";
  return null;
}
