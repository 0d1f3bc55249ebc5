import { Alone } from "./alone";
import { mention, say } from "./announce";
import type { ServerClock } from "./clock";
import { Curtain } from "./curtain";
import { Doing } from "./doing";
import { element, icon, make, unseen } from "./element";
import { label } from "./labels";
import type { Meeting } from "./meeting";
import { MemberMenu } from "./membermenu";
import { News } from "./news";
import { count } from "./people";
import { RecordPanel } from "./recordpanel";
import { RoomPanel } from "./roompanel";
import { headcount, Roster } from "./roster";
import { Warning } from "./warning";

/** The page of the room itself. It shows a meeting, and does with it what the buttons say. */
export class Stage {
  readonly news: News;
  private meeting: Meeting | null = null;
  private readonly now = () => this.meeting;
  private readonly doing = new Doing(() => this.show());
  private readonly alone = new Alone();
  private readonly curtain = new Curtain();
  private readonly warning: Warning;
  private readonly roster = new Roster(new MemberMenu(this.doing, this.now), this.doing, this.now);
  private readonly panel = new RoomPanel(new RecordPanel(this.doing, this.now), this.doing, this.now);

  constructor(
    clock: ServerClock,
    private readonly left: () => void,
  ) {
    this.warning = new Warning(clock);
    this.news = new News(this.doing, () => this.meeting?.gathering.me);
    this.on("mic", ({ own }) => this.doing.mine("audioMuted", own.setMic(!own.micOn)), "microphone");
    this.on("cam", ({ own }) => this.doing.mine("videoMuted", own.setCam(!own.camOn)), "camera");
    this.on("hand", ({ own, gathering }) => this.doing.mine("hand", own.setHand(gathering.self?.hand !== true)));
    this.on("share", ({ own }) => (own.sharing ? own.stopScreen() : own.shareScreen()), "screen");
    this.on("leave", async () => this.left());
    this.on("sound", (meeting) => meeting.playSound());
    this.on("reveal", ({ own }) => this.doing.mine("videoMuted", own.reveal()));
    // The SDK builds the picture when the film arrives, and anew after a break.
    new MutationObserver(() => this.showLabels()).observe(element("picture"), { childList: true });
  }

  /** Show this meeting from now on. */
  open(meeting: Meeting): void {
    this.meeting = meeting;
    this.show();
    this.curtain.open();
    const { people, room } = meeting.gathering;
    const number = count(people);
    this.roster.open(number > 1 && window.matchMedia("(min-width: 90rem)").matches);
    if (number > 1) mention(`You are in. ${headcount(number)}.`);
    else say(`You are in. ${this.alone.title}.`);
    if (room.recording) say("This is being recorded.");
    if (room.locked) say("The door is locked.");
  }

  /** Show what the meeting is like now. */
  show(): void {
    const { meeting } = this;
    if (!meeting) return;
    const { gathering } = meeting;
    const { room, rights, people } = gathering;
    element("call-title").textContent = room.title;
    element("call-topic").textContent = room.topic;
    element("call-topic").hidden = room.topic === "";
    document.title = `${room.recording ? "● " : ""}${room.title} – Parlour`;
    element("badge-recording").hidden = !room.recording;
    element("badge-locked").hidden = !room.locked;
    this.showControls(meeting);
    this.alone.show(count(people) === 1, rights.moderates);
    element("sound").hidden = !meeting.silent;
    this.warning.expect(gathering.removal);
    this.roster.show(meeting);
    this.panel.show(meeting);
    this.showLabels();
  }

  connection(good: boolean): void {
    const note = element("stage-note");
    if (note.hidden === good) return;
    note.textContent = good ? "" : "The connection is lost. Trying to get it back…";
    note.hidden = good;
    if (good) mention("The connection is back");
  }

  /** Whether the call was ended by oneself. */
  get endedIt(): boolean {
    return this.doing.wasMine("ended");
  }

  /** Forget the meeting. */
  close(): void {
    this.meeting = null;
    element("stage-note").hidden = true;
    element("toasts").replaceChildren();
    element<HTMLDialogElement>("confirm").close();
    this.warning.expect(null);
    this.curtain.close();
    this.roster.open(false);
    this.panel.close();
  }

  private on(id: string, act: (meeting: Meeting) => Promise<void>, device = ""): void {
    element(id).addEventListener("click", () => {
      const { meeting } = this;
      if (meeting) void this.doing.act(id, () => act(meeting), device);
    });
  }

  private showControls({ own, gathering }: Meeting): void {
    const { micOn, camOn, sharing } = own;
    const { rights, people } = gathering;
    const hand = gathering.self?.hand ?? false;
    const number = count(people);
    control("mic", micOn ? "mic" : "mic-off", !micOn, micOn ? "Mute" : "Unmute", unseen(" microphone"));
    control("cam", camOn ? "cam" : "cam-off", !camOn, part("verb", camOn ? "Stop" : "Start"), " camera");
    control("hand", "hand", false, part("verb", hand ? "Lower" : "Raise"), " hand");
    element("hand").classList.toggle("lit", hand);
    control("share", "screen", false, part("verb", sharing ? "Stop" : "Share"), " screen");
    element("share").classList.toggle("lit", sharing);
    element("share").hidden = !rights.room("screen") || !navigator.mediaDevices?.getDisplayMedia;
    control("room", "room", false, "Room");
    element("reveal").textContent = own.camOff ? "Turn your camera on to see the room" : "Show the room’s picture";
    control("who", "people", false, part("count", String(number)), number === 1 ? " person" : " people");
    control("leave", "leave", false, "Leave");
  }

  private showLabels(): void {
    const { gathering } = this.meeting ?? {};
    if (gathering) label(element("picture"), gathering.places, gathering.people);
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
