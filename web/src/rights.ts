/** What one may do in the room, by the capabilities of `call.joined`. The server looks again at everything. */

export type Scope = "self" | "member";

/** By act on a member: the names below `self` or `member` that grant it, as these themselves do. */
const ON_MEMBERS = {
  mute: ["mute", "mute.audio", "mute.audio.off"],
  camera: ["mute", "mute.video", "mute.video.off"],
  deaf: ["deaf"],
  hand: ["raisehand", "raisehand.off"],
  microphone: ["microphone", "microphone.volume", "microphone.volume.set"],
  speaker: ["speaker", "speaker.volume", "speaker.volume.set"],
  place: ["position", "position.set"],
  remove: ["remove"],
} as const;

/** By act on the room: what grants it. */
const ON_ROOM = {
  layout: ["layout", "layout.set"],
  lock: ["lock"],
  hideMuted: ["vmuted", "vmuted.hide"],
  end: ["end"],
  recording: ["recording"],
  screen: ["screenshare"],
} as const;

export type MemberAct = keyof typeof ON_MEMBERS;
export type RoomAct = keyof typeof ON_ROOM;

export class Rights {
  constructor(private readonly granted: readonly string[] = []) {}

  /** Whether one may do this to oneself, or to others; everybody at once counts as others. */
  on(scope: Scope, act: MemberAct): boolean {
    return this.any([scope, ...ON_MEMBERS[act].map((name) => `${scope}.${name}`)]);
  }

  /** Whether one may do this to the room. */
  room(act: RoomAct): boolean {
    return this.any(ON_ROOM[act]);
  }

  /** Whether one runs the room in any way. */
  get moderates(): boolean {
    return (Object.keys(ON_ROOM) as RoomAct[]).some((act) => act !== "screen" && this.room(act));
  }

  private any(names: readonly string[]): boolean {
    return names.some((name) => this.granted.includes(name));
  }
}
