import type { FabricRoomSession } from "@signalwire/js";
import type { Gathering } from "./gathering";
import { ask } from "./sdk";

const EVERYBODY = "all";
/** The layout that a shared screen brings: there the first place is the screen's. */
const SCREEN_LAYOUT = "screen-share";

/** What one does to others, to the room, or to the own sound. Each rejects with what the server said. */
export class Acts {
  constructor(
    private readonly call: () => FabricRoomSession,
    private readonly gathering: Gathering,
  ) {}

  async mute(memberId: string): Promise<void> {
    await this.call().audioMute({ memberId });
  }

  async stopCamera(memberId: string): Promise<void> {
    await this.call().videoMute({ memberId });
  }

  /** Let somebody hear nothing, or hear again. */
  async setDeaf(memberId: string, deaf: boolean): Promise<void> {
    await (deaf ? this.call().deaf({ memberId }) : this.call().undeaf({ memberId }));
  }

  async lowerHand(memberId: string): Promise<void> {
    await this.call().setRaisedHand({ memberId, raised: false });
  }

  /** How loud the others hear somebody, -50 to 50. */
  async setInput(memberId: string, volume: number): Promise<void> {
    await this.call().setInputVolume({ memberId, volume });
  }

  /** How loud somebody hears the others, -50 to 50. */
  async setOutput(memberId: string, volume: number): Promise<void> {
    await this.call().setOutputVolume({ memberId, volume });
  }

  async remove(memberId: string): Promise<void> {
    await this.call().removeMember({ memberId });
  }

  /** Give somebody the first place of the layout, or let the room choose again. */
  async setInFront(memberId: string, front: boolean): Promise<void> {
    const { layout, places } = this.gathering;
    const lead = layout !== SCREEN_LAYOUT && places.some((place) => place.position === "reserved-1") ? "reserved-1" : "standard-1";
    await this.call().setPositions({ positions: { [memberId]: front ? lead : "auto" } });
  }

  /** Mute everybody but oneself who is not muted. */
  async muteOthers(): Promise<void> {
    const { people, me } = this.gathering;
    const loud = [...people.values()].filter((one) => one.kind === "member" && one.id !== me && !one.audioMuted);
    if (loud.length === 0) return;
    await ask(this.call(), "call.mute", { channels: ["audio"], targets: loud.map(({ id }) => ({ target: { member_id: id } })) });
  }

  async lowerHands(): Promise<void> {
    await this.call().setRaisedHand({ memberId: EVERYBODY, raised: false });
  }

  async setLayout(name: string): Promise<void> {
    await this.call().setLayout({ name });
    this.gathering.layout = name;
  }

  async setLocked(locked: boolean): Promise<void> {
    await (locked ? this.call().lock() : this.call().unlock());
    this.gathering.granted({ locked });
  }

  async setHandsFirst(enable: boolean): Promise<void> {
    await ask(this.call(), "call.handraise.prioritize.set", { enable });
    this.gathering.granted({ prioritize_handraise: enable });
  }

  async setMutedHidden(enable: boolean): Promise<void> {
    await ask(this.call(), "call.vmuted.hide.set", { enable });
    this.gathering.granted({ hide_video_muted: enable });
  }

  /** End the call for everybody. */
  async end(): Promise<void> {
    await this.call().end({ memberId: EVERYBODY });
  }
}
