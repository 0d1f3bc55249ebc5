import { type FabricRoomSession, SignalWire, type SignalWireClient } from "@signalwire/js";
import { Acts } from "./acts";
import { camConstraints, micConstraints, type Wanted } from "./devices";
import { isFinal } from "./endings";
import { Gathering, type Watcher } from "./gathering";
import { Recorder } from "./recorder";
import { isAnswer, type Refusal, refusal, seatIsGone, understand } from "./refusals";
import { speakerOf, watchSocket } from "./sdk";
import { type Seat, tellSdk } from "./seat";

/** How long the server may take to let somebody in. */
const ENTER_MS = 25_000;
/** How long to knock at a server that is not ready. */
const START_MS = 15_000;
/** How long a lost call is sought before giving up; the server keeps the seat for about as long. */
const SEEK_MS = 60_000;
const SEEK_PAUSE_MS = 2_000;
/** How long somebody may take to choose a screen, and the server to take it. */
const SHARE_MS = 10 * 60_000;

export interface Door {
  readonly host: string;
  /** What lets one in, asked for when it is needed. */
  token(): Promise<string>;
  readonly address: string;
  readonly picture: HTMLElement;
}

/** What the room's page wants to hear. */
export interface Listener extends Watcher {
  /** The connection broke, or is back. */
  connection(good: boolean): void;
  /** It is over; without a refusal the reason is in words of the server, or empty after leaving. */
  ended(reason: string, refused: Refusal | null): void;
}

/** A stay in a room, over the browser SDK. */
export class Meeting {
  readonly gathering: Gathering;
  readonly acts: Acts;
  readonly recorder: Recorder;
  layouts: readonly string[] = [];

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
  ) {
    this.gathering = new Gathering(listener);
    this.acts = new Acts(() => this.inCall(), this.gathering);
    this.recorder = new Recorder(location.href, () => this.door.token());
  }

  /** What to remember for taking the seat again after a reload. */
  get seat(): Seat {
    const { audioMuted = false, videoMuted = false } = this.gathering.self ?? {};
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
    return this.sends.audio && !this.gathering.self?.audioMuted;
  }

  /** Whether the others see this camera. */
  get camOn(): boolean {
    return this.sends.video && !this.gathering.self?.videoMuted;
  }

  /** Whether there is a camera, turned off. */
  get camOff(): boolean {
    return this.sends.video && !this.camOn;
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
    if (this.gathering.self?.audioMuted) await call.audioUnmute();
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
    if (this.gathering.self?.videoMuted) await call.videoUnmute();
    this.listener.changed();
  }

  async setHand(raised: boolean): Promise<void> {
    await this.inCall().setRaisedHand({ raised });
  }

  /** Show the others a screen, a window or a tab. Rejects where the browser or the server does not let one. */
  async shareScreen(): Promise<void> {
    const call = this.inCall();
    try {
      await bounded(call.startScreenShare({ audio: false, video: true }), SHARE_MS);
    } catch (error) {
      // The SDK leaves the capture running that led nowhere.
      await this.stopScreen();
      throw error;
    }
  }

  async stopScreen(): Promise<void> {
    for (const screen of this.inCall().screenShareList) {
      for (const track of screen.localStream?.getTracks() ?? []) track.stop();
      await bounded(screen.leave(), 3_000).catch(() => {});
    }
  }

  /** Ask for a picture of the room that is kept from whoever comes. It comes with the own one, where there is one. */
  async reveal(): Promise<void> {
    await this.inCall().videoUnmute();
    if (!this.sends.video) await this.inCall().videoMute();
  }

  /** Play the room's sound; works from a click. */
  async playSound(): Promise<void> {
    await this.speaker?.play();
  }

  private get speaker(): HTMLAudioElement | undefined {
    return this.call ? speakerOf(this.call) : undefined;
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
    watchSocket(this.client, (good) => this.connection({ socket: good }));
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
    this.gathering.follow(call);
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
    this.layouts = this.gathering.rights.room("layout") ? (await call.getLayouts().catch(() => ({ layouts: [] }))).layouts : [];
    // The others' lists shall say what is true of somebody who came without.
    const { self } = this.gathering;
    if (!mic && self && !self.audioMuted) await call.audioMute().catch(() => {});
    if (!cam && self && !self.videoMuted) await call.videoMute().catch(() => {});
    if (camLater) await this.setCam(true).catch(() => {});
    this.listener.changed();
  }

  private listenTo(call: FabricRoomSession, joined: () => boolean): void {
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
