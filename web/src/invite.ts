/** Where this page leads, and the leave to go there that its link carries. */
export interface Invite {
  readonly address: string;
  readonly token: string;
}

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
