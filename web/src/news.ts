import { mention } from "./announce";
import type { Doing } from "./doing";
import type { Person } from "./people";
import type { Room } from "./room";

/** Says what happens in the room, as far as one would not see it at once. What one did oneself is not told. */
export class News {
  constructor(
    private readonly doing: Doing,
    private readonly me: () => string | undefined,
  ) {}

  came(person: Person): void {
    if (person.kind === "member") mention(`${person.name} is here`);
    else mention(person.parentId === this.me() ? "Everybody sees your screen" : `${person.name} shares a screen`);
  }

  gone(person: Person): void {
    if (person.kind === "member") mention(`${person.name} has left`);
    else mention(person.parentId === this.me() ? "Your screen is no longer shared" : "The screen is no longer shared");
  }

  turned(person: Person, before: Person): void {
    const mine = person.id === this.me();
    if (person.hand !== before.hand && !(mine && this.doing.wasMine("hand"))) {
      if (mine) mention(person.hand ? "Your hand was raised" : "Your hand was lowered");
      else if (person.hand) mention(`${person.name} raises a hand`);
    }
    if (!mine) return;
    if (person.deaf !== before.deaf) {
      const own = this.doing.wasMine("deaf");
      if (!own) mention(person.deaf ? "A moderator has taken the sound from you" : "A moderator has given you the sound back");
      return; // the microphone goes with it
    }
    if (person.audioMuted !== before.audioMuted && !this.doing.wasMine("audioMuted")) {
      mention(person.audioMuted ? "A moderator has muted you" : "A moderator has unmuted you");
    }
    if (person.videoMuted !== before.videoMuted && !this.doing.wasMine("videoMuted")) {
      mention(person.videoMuted ? "A moderator has turned your camera off" : "A moderator has turned your camera on");
    }
  }

  altered(room: Room, before: Room): void {
    if (room.recording !== before.recording) {
      mention(room.recording ? "This is being recorded now" : "This is no longer being recorded");
    }
    if (room.locked !== before.locked && !this.doing.wasMine("locked")) {
      mention(room.locked ? "The door is locked" : "The door is open again");
    }
    if (room.title !== before.title) mention(`The room is now called ${room.title}`);
  }
}
