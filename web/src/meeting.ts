import { type FabricRoomSession, SignalWire, type SignalWireClient } from "@signalwire/js";
import { Acts } from "./acts";
import { camConstraints, micConstraints, type Wanted } from "./devices";
import { isFinal } from "./endings";
import { Gathering, type Watcher } from "./gathering";
import { Own } from "./own";
import { bounded, pause } from "./patience";
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
  /** What one sends oneself, and what one does to others and to the room. */
  readonly own: Own;
  readonly acts: Acts;
  readonly recorder: Recorder;
  layouts: readonly string[] = [];

  private client: SignalWireClient | null = null;
  private call: FabricRoomSession | null = null;
  private leaving = false;
  private over = "";
  private socketGood = true;
  private mediaGood = true;

  constructor(
    private readonly door: Door,
    private readonly name: string,
    wanted: Wanted,
    private readonly listener: Listener,
  ) {
    this.gathering = new Gathering(listener);
    this.own = new Own(
      () => this.call,
      this.gathering,
      () => this.listener.changed(),
      wanted,
    );
    this.acts = new Acts(() => this.inCall(), this.gathering);
    this.recorder = new Recorder(location.href, () => this.door.token());
  }

  /** What to remember for taking the seat again after a reload. */
  get seat(): Seat {
    return { name: this.name, callId: this.call?.callId ?? "", ...this.own.now };
  }

  /** Whether the browser does not play the room's sound until somebody asks it to. */
  get silent(): boolean {
    return this.speaker?.paused === true && this.speaker.srcObject !== null;
  }

  /** Go in. Rejects with what the server said. */
  async enter(): Promise<void> {
    await this.connect();
    await knock(() => this.dial(false));
  }

  /** Take a seat again that a reloaded page had. Rejects with what the server said. */
  async reenter(seat: Seat): Promise<void> {
    await this.connect();
    await knock(() => {
      tellSdk(seat);
      return this.dial(true);
    });
  }

  /** Go out. */
  async leave(): Promise<void> {
    this.leaving = true;
    await bounded(this.call?.hangup() ?? Promise.resolve(), 3_000).catch(() => {});
    await this.disconnect();
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
    const { mic, cam, micId, camId } = this.own.first;
    const options = {
      to: `/public/${this.door.address}?channel=video`,
      rootElement: this.door.picture,
      audio: mic && micConstraints(micId),
      video: cam && camConstraints(camId),
      negotiateAudio: true,
      negotiateVideo: true,
      applyMemberOverlay: false,
      userVariables: { display_name: this.name },
    };
    const call = await (again ? this.client.reattach(options) : this.client.dial(options));
    this.own.began(mic, cam);
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
    await this.own.settle();
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
    this.own.keep();
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

/** Dial until it works: a server that has just started is about to be ready. */
async function knock(dial: () => Promise<void>): Promise<void> {
  const end = performance.now() + START_MS;
  for (;;) {
    try {
      return await dial();
    } catch (error) {
      if (understand(error).reason !== "unavailable" || performance.now() > end) throw error;
      await pause(SEEK_PAUSE_MS);
    }
  }
}
