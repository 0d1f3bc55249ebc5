import type { FabricRoomSession } from "@signalwire/js";
import { camConstraints, micConstraints, type Wanted } from "./devices";
import type { Gathering } from "./gathering";
import { bounded } from "./patience";

/** How long somebody may take to choose a screen, and the server to take it. */
const SHARE_MS = 10 * 60_000;
const STOP_MS = 3_000;

/** What one sends oneself: microphone, camera, screen, a raised hand. */
export class Own {
  private sends = { audio: false, video: false };

  /** `current` is the call, where there is one just now; `changed` is told when something is sent that was not. */
  constructor(
    private readonly current: () => FabricRoomSession | null,
    private readonly gathering: Gathering,
    private readonly changed: () => void,
    private wanted: Wanted,
  ) {}

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

  /** Whether the others see this screen. After a reload there may be one left that is no longer this page's. */
  get sharing(): boolean {
    return this.gathering.screen !== undefined && (this.current()?.screenShareList.length ?? 0) > 0;
  }

  /** What to ask for when a call begins again: that which is sent now. */
  get now(): Wanted {
    return { ...this.wanted, mic: this.micOn, cam: this.camOn };
  }

  /** Ask for what is sent now when a call begins again. */
  keep(): void {
    this.wanted = this.now;
  }

  /** What a call begins with. */
  get first(): Wanted {
    const { mic, cam } = this.wanted;
    // An offer with the camera but no microphone has its sections in an order that this SDK answers wrongly when they are
    // negotiated anew, as they are when the microphone is turned on. So such a camera comes in after its owner.
    return { ...this.wanted, cam: cam && mic };
  }

  /** A call begins with these. */
  began(audio: boolean, video: boolean): void {
    this.sends = { audio, video };
  }

  /** Let the others' lists say what is true of somebody who came without, and bring the camera that comes later. */
  async settle(): Promise<void> {
    const { mic, cam } = this.wanted;
    const { self } = this.gathering;
    if (!mic && self && !self.audioMuted) await this.call().audioMute().catch(() => {});
    if (!cam && self && !self.videoMuted) await this.call().videoMute().catch(() => {});
    if (cam && !mic) await this.setCam(true).catch(() => {});
  }

  /** Let the others hear this microphone, or not. Rejects where it cannot be used. */
  async setMic(on: boolean): Promise<void> {
    const call = this.call();
    if (!on) return void (await call.audioMute());
    if (!this.sends.audio) {
      const constraints = micConstraints(this.wanted.micId);
      await proveUse({ audio: constraints });
      await call.updateMedia({ audio: { direction: "sendrecv", constraints } });
      this.sends.audio = true;
    }
    if (this.gathering.self?.audioMuted) await call.audioUnmute();
    this.changed();
  }

  /** Let the others see this camera, or not. Rejects where it cannot be used. */
  async setCam(on: boolean): Promise<void> {
    const call = this.call();
    if (!on) return void (await call.videoMute());
    if (!this.sends.video) {
      const constraints = camConstraints(this.wanted.camId);
      await proveUse({ video: constraints });
      await call.updateMedia({ video: { direction: "sendrecv", constraints } });
      this.sends.video = true;
    }
    if (this.gathering.self?.videoMuted) await call.videoUnmute();
    this.changed();
  }

  async setHand(raised: boolean): Promise<void> {
    await this.call().setRaisedHand({ raised });
  }

  /** Show the others a screen, a window or a tab. Rejects where the browser or the server does not let one. */
  async shareScreen(): Promise<void> {
    try {
      await bounded(this.call().startScreenShare({ audio: false, video: true }), SHARE_MS);
    } catch (error) {
      // Also where no answer came in time, nothing is captured any more.
      await this.stopScreen();
      throw error;
    }
  }

  async stopScreen(): Promise<void> {
    for (const screen of this.call().screenShareList) {
      for (const track of screen.localStream?.getTracks() ?? []) track.stop();
      await bounded(screen.leave(), STOP_MS).catch(() => {});
    }
  }

  /** Ask for a picture of the room that is kept from whoever comes. It comes with the own one, where there is one. */
  async reveal(): Promise<void> {
    await this.call().videoUnmute();
    if (!this.sends.video) await this.call().videoMute();
  }

  private call(): FabricRoomSession {
    const call = this.current();
    if (!call) throw new Error("not in a call");
    return call;
  }
}

/** Make sure that a device may be used, so that what is wrong with it can be told. */
async function proveUse(constraints: MediaStreamConstraints): Promise<void> {
  if (!navigator.mediaDevices) throw new DOMException("", "NotAllowedError");
  const stream = await navigator.mediaDevices.getUserMedia(constraints);
  for (const track of stream.getTracks()) track.stop();
}
