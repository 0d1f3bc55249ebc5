import { Alone } from "./alone";
import { alert, mention, say } from "./announce";
import { element, icon, make, unseen } from "./element";
import { label } from "./labels";
import { layoutName, pictogram } from "./layouts";
import type { Meeting } from "./meeting";
import { count, inOrder, type Person } from "./people";

/** The page of the room itself. It shows a meeting, and does with it what the buttons say. */
export class Stage {
  private meeting: Meeting | null = null;
  private readonly alone = new Alone();
  private readonly busy = new Set<string>();
  /** What one has just asked for oneself, so that only what others do is told. */
  private readonly own = new Set<string>();

  constructor(private readonly left: () => void) {
    this.on("mic", (meeting) => this.asked("audioMuted", meeting.setMic(!meeting.micOn), "microphone"));
    this.on("cam", (meeting) => this.asked("videoMuted", meeting.setCam(!meeting.camOn), "camera"));
    this.on("hand", (meeting) => this.asked("hand", meeting.setHand(meeting.self?.hand !== true)));
    this.on("leave", async () => this.left());
    this.on("sound", async (meeting) => {
      await meeting.playSound();
      this.show();
    });
    element("who").addEventListener("click", () => this.showPeople(element("people").hidden === true));
    element("people-close").addEventListener("click", () => {
      this.showPeople(false);
      element("who").focus();
    });
    element("people").addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.showPeople(false);
      element("who").focus();
    });
    // The SDK builds the picture when the film arrives, and anew after a break.
    new MutationObserver(() => this.showLabels()).observe(element("picture"), { childList: true });
    element("layout-list").addEventListener("change", (event) => {
      const { value } = event.target as HTMLInputElement;
      const meeting = this.meeting;
      if (meeting) void this.guarded("layout", () => this.asked("layout", meeting.setLayout(value)));
    });
  }

  /** Show this meeting from now on. */
  open(meeting: Meeting): void {
    this.meeting = meeting;
    this.show();
    const number = count(meeting.people);
    this.showPeople(number > 1 && window.matchMedia("(min-width: 90rem)").matches);
    if (number > 1) mention(`You are in. ${people(number)}.`);
    else say(`You are in. ${this.alone.title}.`);
  }

  /** Show what the meeting is like now. */
  show(): void {
    const meeting = this.meeting;
    if (!meeting) return;
    const hand = meeting.self?.hand ?? false;
    element("call-title").textContent = meeting.title;
    document.title = `${meeting.title} – Parlour`;
    const number = count(meeting.people);
    control("mic", meeting.micOn ? "mic" : "mic-off", !meeting.micOn, meeting.micOn ? "Mute" : "Unmute", unseen(" microphone"));
    control("cam", meeting.camOn ? "cam" : "cam-off", !meeting.camOn, part("verb", meeting.camOn ? "Stop" : "Start"), " camera");
    control("hand", "hand", false, part("verb", hand ? "Lower" : "Raise"), " hand");
    element("hand").classList.toggle("lit", hand);
    control("layout", "layout", false, "Layout");
    control("who", "people", false, part("count", String(number)), number === 1 ? " person" : " people");
    control("leave", "leave", false, "Leave");
    this.alone.show(number === 1, meeting.mayLayout);
    element("layout").hidden = !meeting.mayLayout || meeting.layouts.length === 0;
    element("sound").hidden = !meeting.silent;
    this.showBadges(meeting);
    this.showList(meeting);
    this.showLabels();
    this.showLayouts(meeting);
  }

  came(person: Person): void {
    mention(person.kind === "screen" ? `${person.name} shares a screen` : `${person.name} is here`);
  }

  gone(person: Person): void {
    mention(person.kind === "screen" ? "The screen is no longer shared" : `${person.name} has left`);
  }

  turned(person: Person, before: Person): void {
    const mine = person.id === this.meeting?.me;
    if (person.hand !== before.hand && !(mine && this.own.delete("hand"))) {
      if (mine) mention(person.hand ? "Your hand was raised" : "Your hand was lowered");
      else if (person.hand) mention(`${person.name} raises a hand`);
    }
    if (!mine) return;
    if (person.audioMuted !== before.audioMuted && !this.own.delete("audioMuted")) {
      mention(person.audioMuted ? "A moderator has muted you" : "A moderator has unmuted you");
    }
    if (person.videoMuted !== before.videoMuted && !this.own.delete("videoMuted")) {
      mention(person.videoMuted ? "A moderator has turned your camera off" : "A moderator has turned your camera on");
    }
  }

  connection(good: boolean): void {
    const note = element("stage-note");
    if (note.hidden === good) return;
    note.textContent = good ? "" : "The connection is lost. Trying to get it back…";
    note.hidden = good;
    if (good) mention("The connection is back");
  }

  /** Forget the meeting. */
  close(): void {
    this.meeting = null;
    element("stage-note").hidden = true;
    element("toasts").replaceChildren();
    const layouts = element("layouts");
    if (layouts.matches(":popover-open")) layouts.hidePopover();
  }

  private on(id: string, act: (meeting: Meeting) => Promise<void>): void {
    element(id).addEventListener("click", () => {
      const meeting = this.meeting;
      if (meeting) void this.guarded(id, () => act(meeting));
    });
  }

  /** One click at a time; what goes wrong is said. */
  private async guarded(id: string, act: () => Promise<void>): Promise<void> {
    if (this.busy.has(id)) return;
    this.busy.add(id);
    element(id).setAttribute("aria-busy", "true");
    try {
      await act();
    } finally {
      this.busy.delete(id);
      element(id).removeAttribute("aria-busy");
      this.show();
    }
  }

  private async asked(what: string, doing: Promise<void>, device = ""): Promise<void> {
    this.own.add(what);
    try {
      await doing;
    } catch (error) {
      const denied = device && error instanceof DOMException;
      const words = denied ? `Your ${device} cannot be used. Allow it beside the address bar.` : "That did not work. Try again.";
      mention(words);
      alert(words);
    } finally {
      // The news of it comes just before or after the answer.
      setTimeout(() => this.own.delete(what), 1500);
    }
  }

  private showPeople(open: boolean): void {
    element("people").hidden = !open;
    element("who").setAttribute("aria-expanded", String(open));
  }

  private showBadges(meeting: Meeting): void {
    const badges: Node[] = [];
    if (meeting.recording) badges.push(make("li", { class: "recording" }, "Recording"));
    if (meeting.locked) badges.push(make("li", {}, "Locked"));
    element("badges").replaceChildren(...badges);
  }

  private showList(meeting: Meeting): void {
    element("people-title").textContent = people(count(meeting.people));
    const list = element("people-list");
    const items = inOrder(meeting.people, meeting.me).map((person) => {
      const state = JSON.stringify(person);
      // What has not changed stays, so that nobody who reads the list loses the place.
      return [...list.children].find((one) => (one as HTMLElement).dataset["state"] === state) ?? entry(person, meeting.me, state);
    });
    const same = items.length === list.children.length && items.every((item, place) => list.children[place] === item);
    if (!same) list.replaceChildren(...items);
  }

  private showLabels(): void {
    if (this.meeting) label(element("picture"), this.meeting.places, this.meeting.people);
  }

  private showLayouts(meeting: Meeting): void {
    const list = element("layout-list");
    const drawn = [...list.querySelectorAll("input")];
    if (drawn.map((one) => one.value).join() !== meeting.layouts.join()) {
      list.replaceChildren(
        ...meeting.layouts.map((name) =>
          make(
            "label",
            {},
            make("input", { type: "radio", name: "layout", value: name }),
            pictogram(name),
            make("span", {}, layoutName(name)),
          ),
        ),
      );
    }
    for (const input of list.querySelectorAll("input")) input.checked = input.value === meeting.layout;
  }
}

function control(id: string, drawing: string, off: boolean, ...words: (Node | string)[]): void {
  const button = element(id);
  const text = make("span", {}, ...words);
  const state = `${drawing}|${text.textContent}`;
  if (button.dataset["state"] !== state) {
    button.dataset["state"] = state;
    button.replaceChildren(icon(drawing), text);
  }
  button.classList.toggle("off", off);
}

/** A word that is shown otherwise where room is short: a `verb` is only heard, a `count` sits at the drawing. */
function part(kind: "verb" | "count", word: string): HTMLElement {
  return make("span", { class: kind }, word);
}

function entry(person: Person, me: string, state: string): HTMLElement {
  if (person.kind !== "member") {
    return make("li", { class: "screen", "data-state": state }, icon("screen"), make("span", { class: "name" }, `${person.name}’s screen`));
  }
  const doing = [
    person.audioMuted ? "microphone off" : "microphone on",
    person.videoMuted ? "camera off" : "camera on",
    ...(person.hand ? ["hand raised"] : []),
    ...(person.talking ? ["talking"] : []),
  ];
  const name = make("span", { class: "name" }, person.name);
  if (person.id === me) name.append(make("small", {}, " (you)"));
  const marks = make("span", { class: "marks", "aria-hidden": "true" });
  if (person.hand) marks.append(marked("hand", "hand"));
  marks.append(marked(person.audioMuted ? "mic-off" : "mic", person.audioMuted ? "dim" : ""));
  marks.append(marked(person.videoMuted ? "cam-off" : "cam", person.videoMuted ? "dim" : ""));
  const face = make("span", { class: "face", "aria-hidden": "true" }, initials(person.name));
  const item = make("li", { class: person.talking ? "talking" : undefined, "data-state": state });
  item.append(face, name, unseen(`: ${doing.join(", ")}`), marks);
  return item;
}

function marked(drawing: string, kind: string): SVGSVGElement {
  const mark = icon(drawing);
  if (kind) mark.classList.add(kind);
  return mark;
}

function initials(name: string): string {
  const words = name.split(/\s+/u).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  return letters.map((word) => [...(word ?? "?")][0] ?? "").join("").toLocaleUpperCase();
}

function people(number: number): string {
  return number === 1 ? "1 person" : `${number} people`;
}
