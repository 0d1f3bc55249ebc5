/** The room as a whole: what `call.joined` and `call.updated` say of it, added up. No page, no socket. */

import { moment } from "./moments";

export interface Room {
  readonly sessionId: string;
  readonly title: string;
  readonly topic: string;
  readonly locked: boolean;
  readonly recording: boolean;
  readonly handsFirst: boolean;
  readonly mutedHidden: boolean;
  /** When everybody has to go. */
  readonly endsAt: Date | null;
  /** How long each stay may be, in seconds. */
  readonly stay: number | null;
}

export const UNKNOWN: Room = {
  sessionId: "",
  title: "",
  topic: "",
  locked: false,
  recording: false,
  handsFirst: false,
  mutedHidden: false,
  endsAt: null,
  stay: null,
};

/** A room session as the events tell it, in part or in full. */
export type RoomLike = Readonly<Record<string, unknown>>;

/** The room after something of it was told. */
export function told(before: Room, news: RoomLike): Room {
  const flag = (name: string, was: boolean) => (typeof news[name] === "boolean" ? news[name] : was);
  const text = (name: string, was: string) => (typeof news[name] === "string" && news[name] ? news[name] : was);
  const stay = news["remove_after_seconds_elapsed"];
  return {
    sessionId: text("room_session_id", before.sessionId),
    title: text("display_name", text("name", before.title)),
    topic: "meta" in news ? topicIn(news["meta"]) : before.topic,
    locked: flag("locked", before.locked),
    recording: flag("recording", before.recording),
    handsFirst: flag("prioritize_handraise", before.handsFirst),
    mutedHidden: flag("hide_video_muted", before.mutedHidden),
    endsAt: "remove_at" in news ? moment(news["remove_at"]) : before.endsAt,
    stay: typeof stay === "number" && stay > 0 ? stay : stay === undefined ? before.stay : null,
  };
}

export interface Removal {
  /** When, on the server's clock. */
  readonly at: Date;
  /** Whether the room ends for everybody, or only one's own stay. */
  readonly everybody: boolean;
}

/** When somebody who came at `joinedAt` is removed: the earlier of the two rules. */
export function removal(room: Room, joinedAt: Date | null): Removal | null {
  const { endsAt } = room;
  const stayEnds = room.stay && joinedAt ? new Date(joinedAt.getTime() + room.stay * 1000) : null;
  if (stayEnds && (!endsAt || stayEnds < endsAt)) return { at: stayEnds, everybody: false };
  return endsAt && { at: endsAt, everybody: true };
}

function topicIn(meta: unknown): string {
  const topic = typeof meta === "object" && meta !== null ? (meta as RoomLike)["topic"] : "";
  return typeof topic === "string" ? topic : "";
}
