import type { Doing } from "./doing";
import { element, icon, make, unseen } from "./element";
import type { Meeting } from "./meeting";
import type { MemberMenu } from "./membermenu";
import { count, inOrder, type Person } from "./people";

/** The list of who is here, and what a moderator does to all of them. */
export class Roster {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly menu: MemberMenu,
    doing: Doing,
    meeting: () => Meeting | null,
  ) {
    const close = () => {
      this.open(false);
      element("who").focus();
    };
    element("who").addEventListener("click", () => this.open(element("people").hidden === true));
    element("people-close").addEventListener("click", close);
    element("people").addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) close();
    });
    element("mute-all").addEventListener("click", () => {
      void doing.act("mute-all", async () => meeting()?.acts.muteOthers());
    });
    element("lower-all").addEventListener("click", () => {
      void doing.act("lower-all", async () => doing.mine("hand", meeting()?.acts.lowerHands() ?? Promise.resolve()));
    });
  }

  open(open: boolean): void {
    element("people").hidden = !open;
    element("who").setAttribute("aria-expanded", String(open));
    if (!open) this.menu.close();
  }

  show({ gathering }: Meeting): void {
    const { people, me, rights } = gathering;
    element("people-title").textContent = headcount(count(people));
    const others = [...people.values()].filter((one) => one.kind === "member" && one.id !== me);
    element("mute-all").hidden = !rights.on("member", "mute") || !others.some((one) => !one.audioMuted);
    element("lower-all").hidden = !rights.on("member", "hand") || ![...people.values()].some((one) => one.hand);
    const shown = inOrder(people, me);
    for (const id of this.entries.keys()) if (!people.has(id)) this.entries.delete(id);
    const items = shown.map((person) => {
      const entry = this.entries.get(person.id) ?? new Entry(person, () => this.menu.open(person.id, entry.more));
      this.entries.set(person.id, entry);
      entry.show(person, person.id === me, this.menu.offers(person));
      return entry.item;
    });
    place(element("people-list"), items);
    this.menu.show();
  }
}

/** How many there are, in words. */
export function headcount(number: number): string {
  return number === 1 ? "1 person" : `${number} people`;
}

/** One line of the list. It stays the same element as long as its person is here, so that nobody in it loses the place. */
class Entry {
  readonly item = make("li");
  readonly more = make("button", { class: "bare more", type: "button", "aria-haspopup": "true" }, icon("more"));
  private readonly words = make("span", { class: "name", dir: "auto" });
  private readonly doing = unseen("");
  private readonly marks = make("span", { class: "marks", "aria-hidden": "true" });
  private state = "";

  constructor(person: Person, open: () => void) {
    const face =
      person.kind === "member" ? make("span", { class: "face", "aria-hidden": "true" }, initials(person.name)) : icon("screen");
    this.item.append(face, this.words, this.doing, this.marks, this.more);
    this.more.addEventListener("click", open);
  }

  show(person: Person, mine: boolean, options: boolean): void {
    const state = JSON.stringify([person, mine, options]);
    if (state === this.state) return;
    this.state = state;
    const screen = person.kind !== "member";
    this.item.className = screen ? "screen" : person.talking ? "talking" : "";
    this.words.title = person.name;
    this.words.replaceChildren(screen ? `${person.name}’s screen` : person.name, ...(mine ? [make("small", {}, " (you)")] : []));
    this.doing.textContent = screen ? "" : `: ${states(person).join(", ")}`;
    this.marks.replaceChildren(...(screen ? [] : marks(person)));
    this.more.hidden = !options;
    this.more.setAttribute("aria-label", `Options for ${screen ? `${person.name}’s screen` : person.name}`);
  }
}

function states(person: Person): string[] {
  return [
    person.audioMuted ? "microphone off" : "microphone on",
    person.videoMuted ? "camera off" : "camera on",
    ...(person.deaf ? ["hears nothing"] : []),
    ...(person.hand ? ["hand raised"] : []),
    ...(person.talking ? ["talking"] : []),
  ];
}

function marks(person: Person): SVGSVGElement[] {
  return [
    ...(person.hand ? [mark("hand", "hand")] : []),
    ...(person.deaf ? [mark("deaf", "dim")] : []),
    mark(person.audioMuted ? "mic-off" : "mic", person.audioMuted ? "dim" : ""),
    mark(person.videoMuted ? "cam-off" : "cam", person.videoMuted ? "dim" : ""),
  ];
}

function mark(drawing: string, kind: string): SVGSVGElement {
  const found = icon(drawing);
  if (kind) found.classList.add(kind);
  return found;
}

/** Bring the items of a list into this order, moving as few as can be, and without taking the focus away. */
function place(list: HTMLElement, items: readonly HTMLElement[]): void {
  const focused = document.activeElement;
  for (const gone of [...list.children]) if (!items.includes(gone as HTMLElement)) gone.remove();
  items.forEach((item, at) => {
    if (list.children[at] !== item) list.insertBefore(item, list.children[at] ?? null);
  });
  if (focused instanceof HTMLElement && focused !== document.activeElement && list.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
}

function initials(name: string): string {
  const words = name.split(/\s+/u).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  return letters.map((word) => [...(word ?? "?")][0] ?? "").join("").toLocaleUpperCase();
}
