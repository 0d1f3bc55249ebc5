import { type Fabric, type FabricRoomSession, SignalWire, type SignalWireClient } from "@signalwire/js";
import { camConstraints, micConstraints, type Wanted } from "./devices";
import { isFinal } from "./endings";
import type { Place } from "./labels";
import { changed, gathered, type MemberLike, type People, type Person, without } from "./people";
import { isAnswer, type Refusal, refusal, seatIsGone, understand } from "./refusals";
import { type Seat, tellSdk } from "./seat";

/** How long the server may take to let somebody in. */
const ENTER_MS = 25_000;
/** How long to knock at a server that is not ready. */
const START_MS = 15_000;
/** How long a lost call is sought before giving up; the server keeps the seat for about as long. */
const SEEK_MS = 60_000;
const SEEK_PAUSE_MS = 2_000;

export interface Door {
  readonly host: string;
  /** What lets one in, asked for when it is needed. */
  token(): Promise<string>;
  readonly address: string;
  readonly picture: HTMLElement;
}

/** What the room's page wants to hear. */
export interface Listener {
  /** Something that is shown has changed. */
  changed(): void;
  came(person: Person): void;
  left(person: Person): void;
  /** A flag of somebody has changed, `by` oneself or by another. */
  turned(person: Person, before: Person): void;
  /** The connection broke, or is back. */
  connection(good: boolean): void;
  /** It is over; without a refusal the reason is in words of the server, or empty after leaving. */
  ended(reason: string, refused: Refusal | null): void;
}

/** A stay in a room, over the browser SDK. */
export class Meeting {
  people: People = new Map();
  me = "";
  title = "";
  layout = "";
  locked = false;
  recording = false;
  mayLayout = false;
  layouts: readonly string[] = [];
  /** Who is where in the picture. */
  places: readonly Place[] = [];

  private client: SignalWireClient | null = null;
  private call: FabricRoomSession | null = null;
  private sends = { audio: false, video: false };
  private leaving = false;
  private over = "";
  private socketGood = true;
  private mediaGood = true;

  constructor(
    private readonly door: Door,
    private readonly name: string,
    private wanted: Wanted,
    private readonly listener: Listener,
  ) {}

  /** Oneself, as the room knows it. */
  get self(): Person | undefined {
    return this.people.get(this.me);
  }

  /** What to remember for taking the seat again after a reload. */
  get seat(): Seat {
    const { audioMuted = false, videoMuted = false } = this.self ?? {};
    return {
      name: this.name,
      callId: this.call?.callId ?? "",
      mic: this.sends.audio && !audioMuted,
      cam: this.sends.video && !videoMuted,
      micId: this.wanted.micId,
      camId: this.wanted.camId,
    };
  }

  /** Whether the others hear this microphone. */
  get micOn(): boolean {
    return this.sends.audio && !this.self?.audioMuted;
  }

  /** Whether the others see this camera. */
  get camOn(): boolean {
    return this.sends.video && !this.self?.videoMuted;
  }

  /** Whether the browser does not play the room's sound until somebody asks it to. */
  get silent(): boolean {
    return this.speaker?.paused === true && this.speaker.srcObject !== null;
  }

  /** Go in. Rejects with what the server said. */
  async enter(): Promise<void> {
    await this.connect();
    const end = performance.now() + START_MS;
    for (;;) {
      try {
        await this.dial(false);
        return;
      } catch (error) {
        // A server that has just started is about to be ready.
        if (understand(error).reason !== "unavailable" || performance.now() > end) throw error;
        await pause(SEEK_PAUSE_MS);
      }
    }
  }

  /** Take a seat again that a reloaded page had. Rejects with what the server said. */
  async reenter(seat: Seat): Promise<void> {
    await this.connect();
    tellSdk(seat);
    await this.dial(true);
  }

  /** Go out. */
  async leave(): Promise<void> {
    this.leaving = true;
    await bounded(this.call?.hangup() ?? Promise.resolve(), 3_000).catch(() => {});
    await this.disconnect();
  }

  /** Let the others hear this microphone, or not. Rejects where it cannot be used. */
  async setMic(on: boolean): Promise<void> {
    const call = this.inCall();
    if (!on) return void (await call.audioMute());
    if (!this.sends.audio) {
      const constraints = micConstraints(this.wanted.micId);
      await proveUse({ audio: constraints });
      await call.updateMedia({ audio: { direction: "sendrecv", constraints } });
      this.sends.audio = true;
    }
    if (this.self?.audioMuted) await call.audioUnmute();
    this.listener.changed();
  }

  /** Let the others see this camera, or not. Rejects where it cannot be used. */
  async setCam(on: boolean): Promise<void> {
    const call = this.inCall();
    if (!on) return void (await call.videoMute());
    if (!this.sends.video) {
      const constraints = camConstraints(this.wanted.camId);
      await proveUse({ video: constraints });
      await call.updateMedia({ video: { direction: "sendrecv", constraints } });
      this.sends.video = true;
    }
    if (this.self?.videoMuted) await call.videoUnmute();
    this.listener.changed();
  }

  async setHand(raised: boolean): Promise<void> {
    await this.inCall().setRaisedHand({ raised });
  }

  async setLayout(name: string): Promise<void> {
    await this.inCall().setLayout({ name });
  }

  /** Play the room's sound; works from a click. */
  async playSound(): Promise<void> {
    await this.speaker?.play();
  }

  private get speaker(): HTMLAudioElement | undefined {
    return this.call ? inner(this.call).audioEl : undefined;
  }

  private inCall(): FabricRoomSession {
    if (!this.call) throw new Error("not in a call");
    return this.call;
  }

  private async connect(): Promise<void> {
    const { host } = this.door;
    const token = await this.door.token();
    const connecting = SignalWire({ host, token, logLevel: "silent", maxApiRequestRetries: 3 });
    this.client = await bounded(connecting, ENTER_MS);
    this.watchSocket();
  }

  private async disconnect(): Promise<void> {
    await bounded(this.client?.disconnect() ?? Promise.resolve(), 3_000).catch(() => {});
    this.client = null;
  }

  private async dial(again: boolean): Promise<void> {
    if (!this.client) throw new Error("not connected");
    const { mic, cam, micId, camId } = this.wanted;
    // An offer with the camera but no microphone has its sections in an order that this SDK answers wrongly when they are
    // negotiated anew, as they are when the microphone is turned on. So such a camera comes in after its owner.
    const camLater = cam && !mic;
    const options = {
      to: `/public/${this.door.address}?channel=video`,
      rootElement: this.door.picture,
      audio: mic && micConstraints(micId),
      video: cam && !camLater && camConstraints(camId),
      negotiateAudio: true,
      negotiateVideo: true,
      applyMemberOverlay: false,
      userVariables: { display_name: this.name },
    };
    const call = await (again ? this.client.reattach(options) : this.client.dial(options));
    this.sends = { audio: mic, video: cam && !camLater };
    this.over = "";
    let joined = false;
    this.listenTo(call, () => joined);
    this.call = call;
    try {
      await bounded(call.start(), ENTER_MS);
    } catch (error) {
      this.call = null;
      throw error;
    }
    joined = true;
    this.mediaGood = true;
    this.layouts = this.mayLayout ? (await call.getLayouts().catch(() => ({ layouts: [] }))).layouts : [];
    // The others' lists shall say what is true of somebody who came without.
    if (!mic && this.self && !this.self.audioMuted) await call.audioMute().catch(() => {});
    if (!cam && this.self && !this.self.videoMuted) await call.videoMute().catch(() => {});
    if (camLater) await this.setCam(true).catch(() => {});
    this.listener.changed();
  }

  private listenTo(call: FabricRoomSession, joined: () => boolean): void {
    const heard = (member: MemberLike): Person | undefined => {
      this.people = changed(this.people, member);
      return this.people.get(member.member_id ?? "");
    };
    call.on("call.joined", (params) => {
      const room = params.room_session;
      this.me = params.member_id;
      this.people = gathered(room.members);
      this.title = room.display_name || room.name;
      this.layout = room.layout_name;
      this.locked = room.locked;
      this.recording = room.recording;
      this.mayLayout = inner(call).capabilities?.setLayout === true;
      this.listener.changed();
    });
    call.on("member.joined", ({ member }) => {
      const known = this.people.has(member.member_id);
      const person = heard(member);
      if (person && !known) this.listener.came(person);
      this.listener.changed();
    });
    call.on("member.updated", ({ member }) => {
      const before = this.people.get(member.member_id);
      const person = heard(member);
      if (person && before) this.listener.turned(person, before);
      this.listener.changed();
    });
    call.on("member.talking", ({ member }) => {
      if (this.people.has(member.member_id)) heard(member);
      this.listener.changed();
    });
    call.on("member.left", ({ member }) => {
      const person = this.people.get(member.member_id);
      this.people = without(this.people, member.member_id);
      if (person) this.listener.left(person);
      this.listener.changed();
    });
    call.on("layout.changed", ({ layout }) => {
      this.layout = layout.name ?? this.layout;
      this.places = layout.layers;
      this.listener.changed();
    });
    call.on("call.updated", ({ room_session: room }) => {
      this.locked = room.locked ?? this.locked;
      this.recording = room.recording ?? this.recording;
      this.listener.changed();
    });
    call.on("call.left", (params) => {
      const { reason } = params as { reason?: string };
      if (reason && isFinal(reason)) this.over = reason;
    });
    call.on("media.connected", () => this.connection({ media: true }));
    call.on("media.reconnecting", () => this.connection({ media: false }));
    call.on("media.disconnected", () => this.connection({ media: false }));
    call.once("destroy", () => {
      if (call !== this.call || !joined()) return; // never began, or another one has taken over
      this.call = null;
      if (this.leaving) this.listener.ended("", null);
      else if (this.over) void this.disconnect().then(() => this.listener.ended(this.over, null));
      else void this.seek(call.callId || this.lastCallId);
    });
    // The call forgets its id before it tells that it is over.
    call.once("call.joined", (params) => {
      this.lastCallId = params.call_id;
    });
  }

  private lastCallId = "";

  /** The call broke off by itself: take the seat again, or a new one where it is gone. */
  private async seek(callId: string): Promise<void> {
    const seat: Seat = { ...this.seat, callId };
    this.wanted = { ...this.wanted, mic: seat.mic, cam: seat.cam };
    this.connection({ media: false });
    const end = performance.now() + SEEK_MS;
    let again = true;
    let last: unknown = null;
    while (performance.now() < end && !this.leaving) {
      try {
        if (again) tellSdk(seat);
        await this.dial(again);
        this.connection({ media: true });
        return;
      } catch (error) {
        last = error;
        if (seatIsGone(error) && again) {
          again = false;
          continue;
        }
        if (isAnswer(error) && !["unavailable", "unknown"].includes(understand(error).reason)) break;
      }
      await pause(SEEK_PAUSE_MS);
    }
    await this.disconnect();
    if (!this.leaving) this.listener.ended("", isAnswer(last) ? understand(last) : refusal("unreachable"));
  }

  private connection(news: { socket?: boolean; media?: boolean }): void {
    this.socketGood = news.socket ?? this.socketGood;
    this.mediaGood = news.media ?? this.mediaGood;
    this.listener.connection(this.socketGood && this.mediaGood);
  }

  private watchSocket(): void {
    // The SDK reconnects its socket by itself and tells nobody but its own parts.
    type Session = { on(event: string, told: () => void): void };
    const client = this.client as unknown as { __wsClient?: { session?: Session } } | null;
    const session = client?.__wsClient?.session;
    session?.on("session.reconnecting", () => this.connection({ socket: false }));
    session?.on("session.connected", () => this.connection({ socket: true }));
  }
}

/** What a call has beside what its types tell: the element that plays the sound, and what one may do. */
function inner(call: FabricRoomSession): {
  readonly audioEl?: HTMLAudioElement;
  readonly capabilities?: Fabric.CallCapabilitiesContract;
} {
  return call as unknown as ReturnType<typeof inner>;
}

/** Make sure that a device may be used, so that what is wrong with it can be told. */
async function proveUse(constraints: MediaStreamConstraints): Promise<void> {
  if (!navigator.mediaDevices) throw new DOMException("", "NotAllowedError");
  const stream = await navigator.mediaDevices.getUserMedia(constraints);
  for (const track of stream.getTracks()) track.stop();
}

async function bounded<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DOMException("no answer in time", "TimeoutError")), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
