import { alert } from "./announce";
import { ServerClock } from "./clock";
import { type Door, readDoor, shut } from "./door";
import { element } from "./element";
import { farewell } from "./endings";
import { addressIn, type Pass, passFor, socketAddress } from "./invite";
import { type Guest, Lobby } from "./lobby";
import { type Listener, Meeting } from "./meeting";
import { Opening } from "./opening";
import { type Refusal, refusal, seatIsGone, understand } from "./refusals";
import * as seats from "./seat";
import { Stage } from "./stage";
import { show, shows, tell } from "./views";

/** One visit: from the door to the room and out again. */
class Visit {
  private readonly clock = new ServerClock();
  private readonly lobby = new Lobby((guest) => this.submitted(guest));
  private readonly opening = new Opening(
    this.clock,
    () => void this.go(this.lobby.guest),
    () => void this.lookAgain(),
  );
  private readonly stage = new Stage(this.clock, () => void this.leave());
  private meeting: Meeting | null = null;

  constructor(
    private readonly address: string,
    private readonly pass: Pass,
  ) {
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
      const { title, lead, again: action } = understand(error);
      return tell({ title, lead, action });
    }
    void this.atTheDoor();
  }

  private async atTheDoor(): Promise<void> {
    show("lobby");
    void this.lobby.reopen();
    const door = await this.readDoor();
    if (!shows("lobby")) return; // somebody was quicker
    this.lobby.greet(door, this.address);
    const reason = door && shut(door);
    if (reason) this.turnedAway(refusal(reason), null);
    else if (door && door.opensAt) this.opening.expect(door.opensAt);
  }

  private async readDoor(): Promise<Door | null> {
    const token = await this.pass(false).catch(() => null); // why not is said when one goes in
    const door = token ? await readDoor(location.href, token) : null;
    if (door) this.clock.set(door.now);
    return door;
  }

  /** Somebody waits: the room may have been given other hours. */
  private async lookAgain(): Promise<void> {
    const door = await this.readDoor();
    if (door && this.opening.ahead) this.opening.expect(door.opensAt ?? new Date(door.now));
  }

  private submitted(guest: Guest): void {
    if (this.opening.ahead) this.opening.wait();
    else void this.go(guest);
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
      this.turnedAway(understand(error), guest);
    } finally {
      this.lobby.busy(false);
    }
  }

  private async goBack(seat: seats.Seat): Promise<void> {
    tell({ title: "Taking your seat again", lead: "One moment." });
    const time = this.clock.ask();
    const meeting = this.meet(seat, true);
    try {
      await meeting.reenter(seat);
      await time;
      this.inside(meeting);
    } catch (error) {
      seats.forget(this.address);
      await meeting.leave();
      if (seatIsGone(error) || isDeviceFault(error)) void this.atTheDoor();
      else this.turnedAway(understand(error), null);
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
      came: (person) => this.stage.news.came(person),
      left: (person) => this.stage.news.gone(person),
      turned: (person, before) => this.stage.news.turned(person, before),
      altered: (room, before) => this.stage.news.altered(room, before),
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
    this.opening.close();
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
    const how = this.stage.endedIt ? "ended by oneself" : reason;
    this.stage.close();
    tell(refused ? { title: refused.title, lead: refused.lead, action: refused.again ?? "Join again" } : farewell(how));
    if (refused || reason) alert(element("notice-title").textContent ?? "");
  }

  private turnedAway({ title, lead, again, opensAt }: Refusal, guest: Guest | null): void {
    if (opensAt) return void (shows("lobby") ? this.early(opensAt) : this.atTheDoor());
    this.opening.close();
    this.lobby.release();
    tell({ title, lead, action: again, act: guest ? () => this.go(guest) : undefined });
    alert(`${title}. ${lead}`);
  }

  /** Turned away as too early: the door was read before these hours were set, or not at all. */
  private async early(opensAt: Date): Promise<void> {
    if (!this.opening.ahead) this.opening.wait();
    void this.lobby.reopen();
    await this.clock.ask();
    this.opening.expect(opensAt);
  }
}

/** Whether a camera or a microphone is what failed: at the door one can choose another. */
function isDeviceFault(error: unknown): boolean {
  return error instanceof DOMException && error.name !== "TimeoutError";
}

function start(): void {
  const address = addressIn(location.pathname);
  if (address) return void new Visit(address, passFor(address, location, sessionStorage)).begin();
  const { title, lead } = refusal("no_room");
  tell({ title, lead });
}

start();
