import { confirmed } from "./confirm";
import type { Doing } from "./doing";
import { element } from "./element";
import type { Meeting } from "./meeting";
import type { Person } from "./people";
import type { Scope } from "./rights";

/** What one can do to one of the people: a little panel beside the name. */
export class MemberMenu {
  private id = "";
  private readonly panel = element("member-menu");

  constructor(
    private readonly doing: Doing,
    private readonly meeting: () => Meeting | null,
  ) {
    this.on("member-mute", ({ acts }, person) => acts.mute(person.id));
    this.on("member-camera", ({ acts }, person) => acts.stopCamera(person.id));
    this.on("member-hand", ({ acts }, person) => acts.lowerHand(person.id));
    this.on("member-front", ({ acts }, person) => acts.setInFront(person.id, person.place === "auto"));
    this.on("member-deaf", ({ acts, gathering }, person) => {
      const change = acts.setDeaf(person.id, !person.deaf);
      return person.id === gathering.me ? doing.mine("deaf", change) : change;
    });
    this.on("member-remove", ({ acts }, person) => this.remove(acts.remove.bind(acts), person));
    for (const [id, set] of [
      ["member-input", "setInput"],
      ["member-output", "setOutput"],
    ] as const) {
      element(id).addEventListener("change", (event) => {
        const volume = Number((event.target as HTMLInputElement).value);
        const { id: memberId } = this;
        void doing.act(id, async () => this.meeting()?.acts[set](memberId, volume));
      });
    }
    this.panel.addEventListener("toggle", (event) => {
      if ((event as ToggleEvent).newState === "closed") this.id = "";
    });
  }

  /** Whether there is anything that one can do to this person. */
  offers(person: Person): boolean {
    const { may, any } = this.rights(person);
    if (person.kind !== "member") return may("remove") || may("place");
    return any;
  }

  /** Open it for somebody, beside the button that was used. */
  open(id: string, beside: HTMLElement): void {
    const again = this.id === id && this.panel.matches(":popover-open");
    this.close();
    if (again) return;
    this.id = id;
    this.show();
    this.panel.showPopover({ source: beside });
    const at = beside.getBoundingClientRect();
    const { width, height } = this.panel.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.right - width, innerWidth - width - 8));
    const top = at.bottom + height + 8 < innerHeight ? at.bottom + 4 : Math.max(8, innerHeight - height - 8);
    this.panel.style.left = `${left}px`;
    this.panel.style.top = `${top}px`;
    const first = [...this.panel.querySelectorAll<HTMLElement>("button, input")].find((one) => one.checkVisibility());
    first?.focus();
  }

  close(): void {
    if (this.panel.matches(":popover-open")) this.panel.hidePopover();
  }

  /** Show what the person is like now. */
  show(): void {
    const gathering = this.meeting()?.gathering;
    const person = gathering?.people.get(this.id);
    if (!gathering || !person) {
      if (this.id) this.close();
      return;
    }
    const mine = person.id === gathering.me;
    const member = person.kind === "member";
    const { may } = this.rights(person);
    element("member-name").textContent = member ? person.name : `${person.name}’s screen`;
    offer("member-mute", !mine && member && may("mute") && !person.audioMuted, "Mute");
    offer("member-camera", !mine && member && may("camera") && !person.videoMuted, "Turn the camera off");
    offer("member-hand", !mine && member && may("hand") && person.hand, "Lower the hand");
    offer("member-front", may("place"), person.place === "auto" ? "Put in front" : "No longer in front");
    offer("member-deaf", member && may("deaf"), deafness(person.deaf, mine));
    offer("member-remove", !mine && may("remove"), member ? "Remove…" : "Stop sharing…");
    slide("member-input", member && may("microphone"), person.input, mine ? "How loud you are" : "How loud they are");
    slide("member-output", member && may("speaker"), person.output, mine ? "How loud you hear the others" : "How loud they hear the others");
  }

  private rights(person: Person) {
    const gathering = this.meeting()?.gathering;
    const mine = person.id === gathering?.me || (person.parentId !== "" && person.parentId === gathering?.me);
    const scope: Scope = mine ? "self" : "member";
    const may = (act: Parameters<NonNullable<typeof gathering>["rights"]["on"]>[1]) => gathering?.rights.on(scope, act) ?? false;
    const acts = ["mute", "camera", "deaf", "hand", "microphone", "speaker", "place", "remove"] as const;
    return { may, any: acts.some(may) };
  }

  private on(id: string, act: (meeting: Meeting, person: Person) => Promise<void>): void {
    element(id).addEventListener("click", () => {
      const meeting = this.meeting();
      const person = meeting?.gathering.people.get(this.id);
      if (meeting && person) void this.doing.act(id, () => act(meeting, person));
    });
  }

  private async remove(act: (id: string) => Promise<void>, person: Person): Promise<void> {
    this.close();
    const sure =
      person.kind === "member"
        ? await confirmed(`Remove ${person.name}?`, "They are told so, and can come back with their link.", "Remove")
        : await confirmed(`Stop ${person.name}’s screen?`, "They can share it again.", "Stop sharing");
    if (sure) await act(person.id);
  }
}

function deafness(deaf: boolean, mine: boolean): string {
  if (mine) return deaf ? "Hear the others again" : "Hear nothing";
  return deaf ? "Let them hear again" : "Let them hear nothing";
}

function offer(id: string, offered: boolean, words: string): void {
  const button = element(id);
  button.hidden = !offered;
  button.lastElementChild!.textContent = words;
}

function slide(id: string, offered: boolean, value: number, words: string): void {
  const slider = element<HTMLInputElement>(id);
  const field = slider.parentElement!;
  field.hidden = !offered;
  field.firstElementChild!.textContent = words;
  if (!slider.matches(":active")) slider.value = String(value);
}
