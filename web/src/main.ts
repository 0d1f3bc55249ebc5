import { alert } from "./announce";
import { roomName } from "./doorplate";
import { element } from "./element";
import { addressIn, NoPass, type Pass, passFor, socketAddress } from "./invite";
import { type Guest, Lobby } from "./lobby";
import { type Listener, Meeting } from "./meeting";
import { type Refusal, refusal, seatIsGone, understand } from "./refusals";
import * as seats from "./seat";
import { Stage } from "./stage";
import { clockError, Countdown, when } from "./waiting";

const WELCOME = "Have a look at yourself, then come in.";

type View = "lobby" | "notice" | "call";

/** One visit: from the door to the room and out again. */
class Visit {
  private readonly lobby = new Lobby((guest) => void this.go(guest));
  private readonly stage = new Stage(() => void this.leave());
  private readonly countdown = new Countdown();
  private meeting: Meeting | null = null;
  private waiting = false;

  constructor(
    private readonly address: string,
    private readonly pass: Pass,
  ) {
    element("waiting-stop").addEventListener("click", () => this.stopWaiting());
    // A link with another invitation, opened in this tab, leaves the page where it is.
    window.addEventListener("hashchange", () => location.reload());
  }

  /** Begin: in the seat of before where there is one, else at the door. */
  async begin(): Promise<void> {
    const alone = await seats.claim(this.address);
    const seat = alone ? seats.kept(this.address) : null;
    if (seat) return this.goBack(seat);
    try {
      await this.pass(false);
    } catch (error) {
      const { title, lead, again } = understood(error);
      return tell(title, lead, again ?? null);
    }
    this.atTheDoor();
  }

  private atTheDoor(): void {
    element("lobby-lead").textContent = WELCOME;
    show("lobby");
    void this.nameTheDoor();
    void this.lobby.reopen();
  }

  private async nameTheDoor(): Promise<void> {
    const token = await this.pass(false).catch(() => null); // why not is said when one goes in
    const found = token && (await roomName(location.href, this.address, token));
    const name = found || this.address.replaceAll(/[_-]+/g, " ");
    element("lobby-title").textContent = name;
    if (!element("lobby").hidden) document.title = `${name} – Parlour`;
  }

  private async go(guest: Guest): Promise<void> {
    this.lobby.busy(true);
    this.lobby.release();
    const meeting = this.meet(guest, false);
    try {
      await meeting.enter();
      this.inside(meeting);
    } catch (error) {
      await meeting.leave();
      await this.turnedAway(understood(error), guest);
    } finally {
      this.lobby.busy(false);
    }
  }

  private async goBack(seat: seats.Seat): Promise<void> {
    tell("Taking your seat again", "One moment.", null);
    const meeting = this.meet(seat, true);
    try {
      await meeting.reenter(seat);
      this.inside(meeting);
    } catch (error) {
      seats.forget(this.address);
      await meeting.leave();
      if (seatIsGone(error) || isDeviceFault(error)) this.atTheDoor();
      else await this.turnedAway(understood(error), seat);
    }
  }

  private meet(guest: Guest, again: boolean): Meeting {
    const door = {
      host: socketAddress(location.href),
      token: () => this.pass(again),
      address: this.address,
      picture: element("picture"),
    };
    const listener: Listener = {
      changed: () => {
        if (this.meeting !== meeting) return;
        this.stage.show();
        seats.keep(this.address, meeting.seat);
      },
      came: (person) => this.stage.came(person),
      left: (person) => this.stage.gone(person),
      turned: (person, before) => this.stage.turned(person, before),
      connection: (good) => {
        if (this.meeting === meeting) this.stage.connection(good);
      },
      ended: (reason, refused) => {
        if (this.meeting === meeting) this.outside(reason, refused);
      },
    };
    const meeting = new Meeting(door, guest.name, guest, listener);
    return meeting;
  }

  private inside(meeting: Meeting): void {
    this.waiting = false;
    this.meeting = meeting;
    seats.keep(this.address, meeting.seat);
    show("call");
    this.stage.open(meeting);
  }

  private async leave(): Promise<void> {
    const meeting = this.meeting;
    seats.forget(this.address);
    await meeting?.leave();
    if (this.meeting === meeting) this.outside("", null);
  }

  private outside(reason: string, refused: Refusal | null): void {
    this.meeting = null;
    seats.forget(this.address);
    this.stage.close();
    if (refused) tell(refused.title, refused.lead, refused.again ?? "Join again");
    else if (reason === "") tell("You have left", "Come back whenever you like.", "Join again");
    else if (reason.startsWith("removed")) tell("You were removed", "A moderator has taken you out of the room.", null);
    else if (reason === "time is up") tell("Your time is up", "This room is set to end a stay after a while.", "Join again");
    else if (reason === "the room is over") tell("The room is over", "Thank you for being here.", null);
    else tell("The call has ended", "A moderator has ended it.", "Join again");
    if (refused || reason) alert(element("notice-title").textContent ?? "");
  }

  private async turnedAway(why: Refusal, guest: Guest): Promise<void> {
    if (why.opensAt) {
      await this.wait(why.opensAt, guest);
      return;
    }
    this.stopWaiting(false);
    tell(why.title, why.lead, why.again ?? null);
    alert(`${why.title}. ${why.lead}`);
  }

  private async wait(opensAt: Date, guest: Guest): Promise<void> {
    const begins = !this.waiting;
    this.waiting = true;
    const behind = await clockError();
    if (begins) {
      show("lobby");
      element("join-form").hidden = true;
      element("waiting").hidden = false;
      element("waiting-title").textContent = `The room opens ${when(opensAt)}`;
      element("waiting-lead").textContent = "Stay here: you will be let in as soon as it does.";
      element("lobby-lead").textContent = "You are a little early.";
      element("waiting-title").focus();
      await this.lobby.reopen();
    }
    if (this.waiting) this.countdown.start(opensAt, behind, () => void this.go({ ...this.lobby.guest, name: guest.name }));
  }

  private stopWaiting(back = true): void {
    this.waiting = false;
    this.countdown.stop();
    element("waiting").hidden = true;
    element("join-form").hidden = false;
    element("lobby-lead").textContent = WELCOME;
    if (back) element("name").focus();
  }
}

/** What went wrong on the way in, be it the server's answer or its silence. */
function understood(error: unknown): Refusal {
  if (error instanceof NoPass) return refusal(error.reason);
  return error instanceof DOMException && error.name === "TimeoutError" ? refusal("unreachable") : understand(error);
}

/** Whether a camera or a microphone is what failed: at the door one can choose another. */
function isDeviceFault(error: unknown): boolean {
  return error instanceof DOMException && error.name !== "TimeoutError";
}

function show(view: View): void {
  for (const one of ["lobby", "notice", "call"] as const) element(one).hidden = one !== view;
  document.documentElement.classList.toggle("in-call", view === "call");
  if (view !== "lobby") element(`${view}-title`).focus({ preventScroll: true });
}

function tell(title: string, lead: string, action: string | null): void {
  element("notice-title").textContent = title;
  element("notice-lead").textContent = lead;
  const button = element<HTMLButtonElement>("notice-action");
  button.hidden = action === null;
  button.textContent = action;
  button.onclick = () => location.reload();
  document.title = `${title} – Parlour`;
  show("notice");
}

function start(): void {
  const address = addressIn(location.pathname);
  if (address) return void new Visit(address, passFor(address, location, sessionStorage)).begin();
  const { title, lead } = refusal("no_room");
  tell(title, lead, null);
}

start();
