/** Who is in the room: what the events say, added up. No page, no socket. */

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly kind: "member" | "screen" | "device";
  readonly parentId: string;
  readonly audioMuted: boolean;
  readonly videoMuted: boolean;
  readonly deaf: boolean;
  readonly hand: boolean;
  readonly talking: boolean;
  /** How loud the others hear somebody, and how loud one hears the others: -50 to 50. */
  readonly input: number;
  readonly output: number;
  /** The place that was asked for; `auto` where the room chooses. */
  readonly place: string;
  readonly joinedAt: string;
}

/** A member as the events tell it, in part or in full. */
export interface MemberLike {
  readonly member_id?: string | undefined;
  readonly name?: string | undefined;
  readonly type?: string | undefined;
  readonly parent_id?: string | undefined;
  readonly audio_muted?: boolean | undefined;
  readonly video_muted?: boolean | undefined;
  readonly deaf?: boolean | undefined;
  readonly handraised?: boolean | undefined;
  readonly talking?: boolean | undefined;
  readonly input_volume?: number | undefined;
  readonly output_volume?: number | undefined;
  readonly requested_position?: string | undefined;
  readonly joined_at?: string | undefined;
}

export type People = ReadonlyMap<string, Person>;

const STRANGER: Omit<Person, "id"> = {
  name: "Guest",
  kind: "member",
  parentId: "",
  audioMuted: false,
  videoMuted: false,
  deaf: false,
  hand: false,
  talking: false,
  input: 0,
  output: 0,
  place: "auto",
  joinedAt: "",
};

/** Everybody who is there on joining. */
export function gathered(members: readonly MemberLike[]): People {
  return members.reduce<People>((people, member) => changed(people, member), new Map());
}

/** The people after one came or changed. */
export function changed(people: People, member: MemberLike): People {
  const id = member.member_id;
  if (!id) return people;
  const before = people.get(id) ?? { id, ...STRANGER };
  const kind = member.type === "screen" || member.type === "device" ? member.type : before.kind;
  return new Map(people).set(id, {
    id,
    kind,
    name: member.name || before.name,
    parentId: member.parent_id ?? before.parentId,
    audioMuted: member.audio_muted ?? before.audioMuted,
    videoMuted: member.video_muted ?? before.videoMuted,
    deaf: member.deaf ?? before.deaf,
    hand: member.handraised ?? before.hand,
    talking: member.talking ?? before.talking,
    input: member.input_volume ?? before.input,
    output: member.output_volume ?? before.output,
    place: member.requested_position ?? before.place,
    joinedAt: member.joined_at ?? before.joinedAt,
  });
}

/** The people after one left. */
export function without(people: People, id: string | undefined): People {
  const after = new Map(people);
  after.delete(id ?? "");
  return after;
}

/** In the order to show: oneself, raised hands, then by name; screens follow their owners. */
export function inOrder(people: People, me: string): Person[] {
  const persons = [...people.values()].filter((one) => one.kind === "member");
  persons.sort(
    (a, b) =>
      Number(b.id === me) - Number(a.id === me) || Number(b.hand) - Number(a.hand) || a.name.localeCompare(b.name),
  );
  const screens = [...people.values()].filter((one) => one.kind !== "member");
  return persons.flatMap((one) => [one, ...screens.filter((screen) => screen.parentId === one.id)]);
}

/** How many persons there are, shared screens not counted. */
export function count(people: People): number {
  return [...people.values()].filter((one) => one.kind === "member").length;
}
