import { Refused } from "./refusals";

/** Where this page leads, and the leave to go there that its link carries. */
export interface Invite {
  readonly address: string;
  readonly token: string;
}

/**
 * What lets one in. `kept` is for going back to a seat: the same token that the seat was taken with, however old it is.
 * Otherwise a good one, also where somebody has waited at the door for long. Rejects with a `Refusal`'s reason.
 */
export type Pass = (kept: boolean) => Promise<string>;

/** How long a ticket is used again: the server lets it in for ten minutes. */
const FRESH_MS = 5 * 60_000;
const TOKEN = /^[A-Za-z0-9._~+/=-]{16,16384}$/;
const ADDRESS = /\/rooms\/([A-Za-z0-9_-]{1,120})\/?$/;

/** The room's address in a path such as `/rooms/coffee_cafe`. */
export function addressIn(path: string): string | null {
  return ADDRESS.exec(path)?.[1] ?? null;
}

/**
 * The token of a link, which stands behind the `#` so that no server and no log ever sees it.
 *
 * It is kept for as long as the tab is open: a link without one finds it again.
 */
export function tokenFor(address: string, fragment: string, kept: Storage): string | null {
  const given = decoded(fragment.replace(/^#/, ""));
  const place = `parlour.invite:${address}`;
  if (TOKEN.test(given)) {
    kept.setItem(place, given);
    return given;
  }
  return kept.getItem(place);
}

/** The pass of a link: its invitation; without one a guest's ticket, which the server gives where rooms are open. */
export function passFor(address: string, page: Location, storage: Storage): Pass {
  const invitation = tokenFor(address, page.hash, storage);
  if (invitation) return async () => invitation;
  const place = `parlour.ticket:${address}`;
  let staleAt = 0;
  return async (kept) => {
    const before = storage.getItem(place);
    if (before && (kept || performance.now() < staleAt)) return before;
    const ticket = await askForTicket(page.href);
    storage.setItem(place, ticket);
    staleAt = performance.now() + FRESH_MS;
    return ticket;
  };
}

async function askForTicket(page: string): Promise<string> {
  const answer = await fetch(`${page.replace(/[?#].*/, "").replace(/\/$/, "")}/ticket`, { method: "POST" }).catch(() => null);
  if (answer?.status === 201) return ((await answer.json()) as { token: string }).token;
  if (answer?.status === 204) throw new Refused("no_invite");
  if (answer?.status === 404) throw new Refused("no_room");
  throw new Refused(answer ? "unavailable" : "unreachable");
}

/** Where the server's socket is: the server's root, seen from `…/rooms/<address>`. */
export function socketAddress(page: string): string {
  const root = new URL("../", page.replace(/\/(?=[?#]|$)/, ""));
  root.protocol = root.protocol === "https:" ? "wss:" : "ws:";
  root.search = root.hash = "";
  return root.href;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
