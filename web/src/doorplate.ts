const PATIENCE_MS = 3_000;

/** What the room is called, for who may go in; `null` where the server does not say, or not in time. */
export async function roomName(page: string, address: string, token: string): Promise<string | null> {
  const found = new URL("../api/fabric/addresses", page.replace(/\/(?=[?#]|$)/, ""));
  found.search = new URLSearchParams({ name: address, type: "room" }).toString();
  found.hash = "";
  try {
    const answer = await fetch(found, {
      headers: { Authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!answer.ok) return null;
    const { data } = (await answer.json()) as { data: readonly { display_name?: string }[] };
    return data[0]?.display_name || null;
  } catch {
    return null;
  }
}
