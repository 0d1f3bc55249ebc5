import type { FabricRoomSession, SignalWireClient } from "@signalwire/js";

/**
 * What the SDK has beside what its types tell. It is used as it comes, so all that leans on its inside is here, and
 * fails softly where it is gone: a control less, not a call less.
 */
interface Inside {
  readonly audioEl?: HTMLAudioElement;
  readonly capabilities?: { readonly _flags?: readonly string[] };
  readonly selfMember?: { readonly memberId?: string; readonly callId?: string; readonly nodeId?: string };
  execute(request: { method: string; params: Record<string, unknown> }): Promise<unknown>;
}

interface Session {
  on(event: string, told: () => void): void;
}

function inside(call: FabricRoomSession): Inside {
  return call as unknown as Inside;
}

/** The element that plays the room's sound. */
export function speakerOf(call: FabricRoomSession): HTMLAudioElement | undefined {
  return inside(call).audioEl;
}

/** What one may do, in the words of `call.joined`; the SDK makes an object of them that does not know them all. */
export function capabilitiesOf(call: FabricRoomSession): readonly string[] {
  return inside(call).capabilities?._flags ?? [];
}

/** Ask the server for something that the SDK has no method for. */
export async function ask(call: FabricRoomSession, method: string, params: Record<string, unknown>): Promise<void> {
  const { memberId, callId, nodeId } = inside(call).selfMember ?? {};
  await inside(call).execute({ method, params: { self: { member_id: memberId, call_id: callId, node_id: nodeId }, ...params } });
}

/** Hear when the socket breaks and when it is back: the SDK reconnects by itself and tells nobody but its own parts. */
export function watchSocket(client: SignalWireClient, told: (good: boolean) => void): void {
  const { session } = (client as unknown as { __wsClient?: { session?: Session } }).__wsClient ?? {};
  session?.on("session.reconnecting", () => told(false));
  session?.on("session.connected", () => told(true));
}
