/** What a reloaded page has to know to take its seat again. */
export interface Seat {
  readonly name: string;
  readonly callId: string;
  readonly mic: boolean;
  readonly cam: boolean;
  readonly micId: string;
  readonly camId: string;
}

/** Where the SDK keeps the call and the session that it takes up again. */
const SDK_CALL = "ci-SAT";
const SDK_KEYS = [SDK_CALL, "pt-SAT", "as-SAT"];

const place = (address: string) => `parlour.seat:${address}`;

/** Remember the seat until it is left. */
export function keep(address: string, seat: Seat): void {
  sessionStorage.setItem(place(address), JSON.stringify(seat));
}

/** The seat that this tab had. */
export function kept(address: string): Seat | null {
  try {
    return JSON.parse(sessionStorage.getItem(place(address)) ?? "null") as Seat | null;
  } catch {
    return null;
  }
}

/** The seat is left. */
export function forget(address: string): void {
  sessionStorage.removeItem(place(address));
}

/** The SDK forgets a call that broke off; this lets it take the seat up again. */
export function tellSdk(seat: Seat): void {
  sessionStorage.setItem(SDK_CALL, seat.callId);
}

/**
 * Whether this tab alone has the seat, from now on.
 *
 * A duplicated tab begins with a copy of everything that the first one remembers. Two that hold one seat would take it
 * from each other without end, so the copy forgets it.
 */
export async function claim(address: string): Promise<boolean> {
  if (!("locks" in navigator)) return true;
  const own = sessionStorage.getItem("parlour.tab") ?? crypto.randomUUID();
  sessionStorage.setItem("parlour.tab", own);
  if (await lock(own)) return true;
  forget(address);
  for (const key of SDK_KEYS) sessionStorage.removeItem(key);
  const fresh = crypto.randomUUID();
  sessionStorage.setItem("parlour.tab", fresh);
  await lock(fresh);
  return false;
}

/** Hold a lock for as long as the page lives; whether it could be had. */
function lock(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    void navigator.locks.request(`parlour.tab:${name}`, { ifAvailable: true }, (held) => {
      resolve(held !== null);
      return held === null ? undefined : new Promise<never>(() => {});
    });
  });
}
