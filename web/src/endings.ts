import type { Notice } from "./views";

const WORDS: Readonly<Record<string, Notice>> = {
  "": { title: "You have left", lead: "Come back whenever you like.", action: "Join again" },
  "removed by a moderator": { title: "You were removed", lead: "A moderator has taken you out of the room." },
  "the call was ended": {
    title: "The call was ended by a moderator",
    lead: "Everybody has been sent home. Thank you for being here.",
    action: "Join again",
  },
  "ended by oneself": { title: "You have ended the call", lead: "Everybody has been sent home.", action: "Join again" },
  "time is up": { title: "Your time is up", lead: "Each stay in this room has a limit, and yours has reached it.", action: "Join again" },
  "the room is over": { title: "The room is over", lead: "The time that was set for it has passed. Thank you for being here." },
  "the room was deleted": { title: "The room is gone", lead: "It has been deleted. Thank you for being here." },
};

/** Whether the server ends a call for good with this reason. Whatever else ends one is a mishap, and the call is sought. */
export function isFinal(reason: string): boolean {
  return reason !== "" && reason in WORDS;
}

/** What to say when a stay has ended for this reason; the empty one is that of leaving oneself. */
export function farewell(reason: string): Notice {
  return WORDS[reason] ?? { title: "The call has ended", lead: "Thank you for being here.", action: "Join again" };
}
