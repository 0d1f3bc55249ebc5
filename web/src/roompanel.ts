import { confirmed } from "./confirm";
import type { Doing } from "./doing";
import { element, make } from "./element";
import { layoutName, pictogram } from "./layouts";
import type { Meeting } from "./meeting";
import type { RecordPanel } from "./recordpanel";
import type { Rights, RoomAct } from "./rights";

/** What a moderator does to the room as a whole. */
export class RoomPanel {
  constructor(
    private readonly records: RecordPanel,
    private readonly doing: Doing,
    private readonly meeting: () => Meeting | null,
  ) {
    this.switch("lock", ({ acts }, on) => doing.mine("locked", acts.setLocked(on)));
    this.switch("hands-first", ({ acts }, on) => acts.setHandsFirst(on));
    this.switch("hide-muted", ({ acts }, on) => acts.setMutedHidden(on));
    element("layout-list").addEventListener("change", (event) => {
      const { value } = event.target as HTMLInputElement;
      void doing.act("layout-list", async () => meeting()?.acts.setLayout(value));
    });
    element("end").addEventListener("click", () => void doing.act("end", () => this.end()));
    element("room-panel").addEventListener("toggle", (event) => {
      if ((event as ToggleEvent).newState === "open") this.records.look();
    });
  }

  close(): void {
    const panel = element("room-panel");
    if (panel.matches(":popover-open")) panel.hidePopover();
  }

  show({ gathering, layouts }: Meeting): void {
    const { room, rights, layout } = gathering;
    element("room").hidden = !rights.moderates;
    this.records.show();
    this.set("lock", rights, "lock", room.locked);
    this.set("hands-first", rights, "layout", room.handsFirst);
    this.set("hide-muted", rights, "hideMuted", room.mutedHidden);
    element("end").hidden = !rights.room("end");
    element("layouts").hidden = !rights.room("layout") || layouts.length === 0;
    const list = element("layout-list");
    const drawn = [...list.querySelectorAll("input")];
    if (drawn.map((one) => one.value).join() !== layouts.join()) list.replaceChildren(...layouts.map(choice));
    for (const input of list.querySelectorAll("input")) settle(list, input, input.value === layout);
  }

  private switch(id: string, act: (meeting: Meeting, on: boolean) => Promise<void>): void {
    const input = element<HTMLInputElement>(id);
    input.addEventListener("change", () => {
      const meeting = this.meeting();
      if (meeting) void this.doing.act(id, () => act(meeting, input.checked));
    });
  }

  private set(id: string, rights: Rights, act: RoomAct, on: boolean): void {
    const input = element<HTMLInputElement>(id);
    input.closest("label")!.hidden = !rights.room(act);
    settle(input, input, on);
  }

  private async end(): Promise<void> {
    this.close();
    if (await confirmed("End for everybody?", "Everybody is sent home. A recording is finished and kept.", "End for everybody")) {
      await this.doing.mine("ended", this.meeting()?.acts.end() ?? Promise.resolve());
    }
  }
}

/** Show what is so, unless somebody has just asked for something else: then what they chose stays until the answer. */
function settle(asked: HTMLElement, input: HTMLInputElement, on: boolean): void {
  if (asked.getAttribute("aria-busy") !== "true") input.checked = on;
}

function choice(name: string): HTMLElement {
  return make(
    "label",
    {},
    make("input", { type: "radio", name: "layout", value: name }),
    pictogram(name),
    make("span", {}, layoutName(name)),
  );
}
