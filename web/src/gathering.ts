import type { FabricRoomSession } from "@signalwire/js";
import type { Place } from "./labels";
import { moment } from "./moments";
import { changed, gathered, type MemberLike, type People, type Person, without } from "./people";
import { Rights } from "./rights";
import { removal, type Removal, type Room, type RoomLike, told, UNKNOWN } from "./room";
import { capabilitiesOf } from "./sdk";

/** What happens in a room, for whoever shows it. */
export interface Watcher {
  /** Something that is shown has changed. */
  changed(): void;
  came(person: Person): void;
  left(person: Person): void;
  /** Something about somebody has changed. */
  turned(person: Person, before: Person): void;
  /** Something about the room has changed. */
  altered(room: Room, before: Room): void;
}

/** Who is in the room, and what it is like: what a call's events say, added up. */
export class Gathering {
  people: People = new Map();
  me = "";
  room: Room = UNKNOWN;
  rights = new Rights();
  layout = "";
  /** Who is where in the picture. */
  places: readonly Place[] = [];
  private promised: Date | null = null;

  constructor(private readonly watcher: Watcher) {}

  /** Oneself, as the room knows it. */
  get self(): Person | undefined {
    return this.people.get(this.me);
  }

  /** One's own shared screen, where there is one. */
  get screen(): Person | undefined {
    return [...this.people.values()].find((one) => one.kind === "screen" && one.parentId === this.me);
  }

  /** When one will be removed. */
  get removal(): Removal | null {
    const found = removal(this.room, moment(this.self?.joinedAt));
    // What the server said on joining holds where the two rules cannot be reckoned with.
    return found ?? (this.promised && { at: this.promised, everybody: false });
  }

  /** The server has said yes to this; the news of it may come a little later. */
  granted(news: RoomLike): void {
    this.room = told(this.room, news);
  }

  /** Listen to a call. */
  follow(call: FabricRoomSession): void {
    call.on("call.joined", (params) => {
      this.me = params.member_id;
      this.people = gathered(params.room_session.members);
      this.layout = params.room_session.layout_name;
      this.rights = new Rights(capabilitiesOf(call));
      this.promised = moment((params as { remove_at?: unknown }).remove_at);
      this.room = told(UNKNOWN, params.room_session as unknown as RoomLike);
      if (this.room.endsAt || this.room.stay) this.promised = null;
      this.watcher.changed();
    });
    call.on("member.joined", ({ member }) => {
      const known = this.people.has(member.member_id);
      const person = this.heard(member);
      if (person && !known) this.watcher.came(person);
      this.watcher.changed();
    });
    call.on("member.updated", ({ member }) => {
      const before = this.people.get(member.member_id);
      const person = this.heard(member);
      if (person && before) this.watcher.turned(person, before);
      this.watcher.changed();
    });
    call.on("member.talking", ({ member }) => {
      if (this.people.has(member.member_id)) this.heard(member);
      this.watcher.changed();
    });
    call.on("member.left", ({ member }) => {
      const person = this.people.get(member.member_id);
      this.people = without(this.people, member.member_id);
      if (person) this.watcher.left(person);
      this.watcher.changed();
    });
    call.on("layout.changed", ({ layout }) => {
      this.layout = layout.name ?? this.layout;
      this.places = layout.layers;
      this.watcher.changed();
    });
    call.on("call.updated", ({ room_session: news }) => {
      const before = this.room;
      this.room = told(before, news as unknown as RoomLike);
      this.watcher.altered(this.room, before);
      this.watcher.changed();
    });
  }

  private heard(member: MemberLike): Person | undefined {
    this.people = changed(this.people, member);
    return this.people.get(member.member_id ?? "");
  }
}
