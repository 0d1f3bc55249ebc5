/** What the server's noes mean to people. */

import { moment } from "./moments";

export interface Refusal {
  readonly reason: string;
  readonly title: string;
  readonly lead: string;
  /** When the room opens, where that is why. */
  readonly opensAt?: Date;
  /** Whether trying again may help. */
  readonly again?: string;
}

const WORDS: Readonly<Record<string, Omit<Refusal, "reason">>> = {
  no_room: { title: "No room here", lead: "This address leads to no room. Look at the link again." },
  no_invite: {
    title: "You need an invitation",
    lead: "The link to a room carries the invitation in its end, behind the #. This one has none: ask for the whole link.",
  },
  bad_invite: { title: "This invitation is not valid", lead: "The link may be cut off. Ask for a new one." },
  token_expired: { title: "This invitation has expired", lead: "Ask whoever invited you for a new link." },
  resource_not_allowed: { title: "This invitation is for another room", lead: "Ask whoever invited you for a link to this one." },
  uri_does_not_resolve_to_address: { title: "This room is gone", lead: "It has been deleted, or its address has changed." },
  over: { title: "This room is over", lead: "The time that was set for it has passed." },
  closed: { title: "Too late to join", lead: "This room lets nobody in any more." },
  locked: { title: "The room is locked", lead: "A moderator has locked the door. Somebody inside can open it.", again: "Try again" },
  full: { title: "The room is full", lead: "Every seat is taken. Try again when somebody has left.", again: "Try again" },
  unreachable: {
    title: "No connection",
    lead: "The server does not answer. Look at your connection, then try again.",
    again: "Try again",
  },
  may_not_record: { title: "You may not record", lead: "Your invitation does not allow it, or has expired." },
  no_recording: { title: "Nothing to record", lead: "This recording is over." },
  other_recording: { title: "Not now", lead: "Somebody else has just started, paused or stopped the recording." },
  unavailable: { title: "Not just now", lead: "The server has too much to do, or is starting. Try again in a moment.", again: "Try again" },
};

/** The moment in a sentence, for a server that does not give it by itself. */
const MOMENT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/;

/** A refusal by its reason. */
export function refusal(reason: string): Refusal {
  const words = WORDS[reason] ?? { title: "That did not work", lead: "The server refused.", again: "Try again" };
  return { reason, ...words };
}

/** The server said no, or nothing, for a reason that there are words for. */
export class Refused extends Error {
  constructor(readonly reason: string) {
    super(reason);
  }
}

/** What an error of the SDK, or an answer of the server, says; also its silence. */
export function understand(error: unknown): Refusal {
  if (error instanceof Refused) return refusal(error.reason);
  if (error instanceof DOMException && error.name === "TimeoutError") return refusal("unreachable");
  const { code, reason, message, at } = shape(error);
  if (reason === "too_early") {
    const opensAt = moment(at || MOMENT.exec(message)?.[0]);
    const early: Refusal = { reason, title: "You are early", lead: "The room is not open yet." };
    return opensAt ? { ...early, opensAt } : { ...early, again: "Try again" };
  }
  if (code === "-32002") return refusal(/expired/.test(message) ? "token_expired" : "bad_invite");
  if (reason in WORDS) return refusal(reason);
  if (code === "404" && reason === "") return refusal("uri_does_not_resolve_to_address");
  if (["500", "502", "503", "-32603"].includes(code)) return refusal("unavailable");
  return { ...refusal(reason || "unknown"), ...(message && code && { lead: message }) };
}

/** Whether the seat that was asked for is gone. */
export function seatIsGone(error: unknown): boolean {
  const { reason, message } = shape(error);
  return reason === "no_such_call" || message.includes("INVALID_CALL_REFERENCE");
}

/** Whether the server answered at all. */
export function isAnswer(error: unknown): boolean {
  return shape(error).code !== "";
}

function shape(error: unknown): { code: string; reason: string; message: string; at: string } {
  const found = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  const text = (name: string) => (["string", "number"].includes(typeof found[name]) ? String(found[name]) : "");
  return { code: error instanceof DOMException ? "" : text("code"), reason: text("reason"), message: text("message"), at: text("at") };
}
