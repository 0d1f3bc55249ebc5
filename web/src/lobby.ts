import { close, explain, type Fault, type Kind, list, open, type Wanted } from "./devices";
import type { Door } from "./door";
import { element, icon, make } from "./element";
import { Meter } from "./meter";
import { when } from "./moments";

const NAME_PLACE = "parlour.name";

export interface Guest extends Wanted {
  readonly name: string;
}

/** The page before the room: who comes, with which camera and microphone. */
export class Lobby {
  private stream: MediaStream | null = null;
  private problem: Partial<Record<Kind, Fault>> = {};
  /** The name last joined with, for somebody who is changing it when the door opens. */
  private called = "";
  private mic = true;
  private cam = true;
  private readonly meter = new Meter([...element("level").children] as HTMLElement[]);
  private readonly name = element<HTMLInputElement>("name");
  private readonly mirror = element<HTMLVideoElement>("mirror");
  private readonly choices = {
    audio: element<HTMLSelectElement>("mic-choice"),
    video: element<HTMLSelectElement>("cam-choice"),
  };
  private opening: Promise<void> = Promise.resolve();

  constructor(private readonly join: (guest: Guest) => void) {
    this.name.value = localStorage.getItem(NAME_PLACE) ?? "";
    element<HTMLFormElement>("join-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.name.addEventListener("input", () => this.complain(false));
    element("want-mic").addEventListener("click", () => this.toggle("audio"));
    element("want-cam").addEventListener("click", () => this.toggle("video"));
    for (const choice of Object.values(this.choices)) choice.addEventListener("change", () => void this.reopen());
  }

  /** Who is about to come. */
  get guest(): Guest {
    return {
      name: this.name.value.trim() || this.called,
      mic: this.mic && !this.problem.audio,
      cam: this.cam && !this.problem.video,
      micId: this.choices.audio.value,
      camId: this.choices.video.value,
    };
  }

  /** Turn the camera and the microphone on, for looking at oneself. */
  async reopen(): Promise<void> {
    this.opening = this.opening.then(() => this.openNow());
    await this.opening;
  }

  /** Let go of camera and microphone. */
  release(): void {
    close(this.stream);
    this.stream = null;
    this.mirror.srcObject = null;
    this.meter.listen(null);
  }

  /** Whether somebody is being let in just now. */
  busy(busy: boolean): void {
    for (const id of ["join", "waiting-stop"]) element(id).setAttribute("aria-disabled", String(busy));
  }

  /** Show what stands on the door; of a door that says nothing there is the address. */
  greet(door: Door | null, address: string): void {
    const name = door?.name || address.replaceAll(/[_-]+/g, " ");
    element("lobby-title").textContent = name;
    document.title = `${name} – Parlour`;
    fill("lobby-topic", door?.topic ?? "");
    fill("lobby-about", door?.description.trim() ?? "");
    fill("lobby-hours", door ? terms(door) : "");
  }

  private async openNow(): Promise<void> {
    close(this.stream);
    const opened = await open({ ...this.guest, mic: this.mic, cam: this.cam });
    this.stream = opened.stream;
    this.problem = opened.problem;
    await this.offerChoices();
    this.show();
  }

  private submit(): void {
    if (element("join").getAttribute("aria-disabled") === "true") return;
    const name = this.name.value.trim();
    if (!name) {
      this.complain(true);
      this.name.focus();
      return;
    }
    localStorage.setItem(NAME_PLACE, name);
    this.called = name;
    this.join(this.guest);
  }

  private complain(wrong: boolean): void {
    element("name-problem").hidden = !wrong;
    this.name.setAttribute("aria-invalid", String(wrong));
  }

  private toggle(kind: Kind): void {
    const on = kind === "audio" ? (this.mic = !this.mic || !!this.problem.audio) : (this.cam = !this.cam || !!this.problem.video);
    if (!on) {
      for (const track of this.stream?.getTracks() ?? []) {
        if (track.kind === kind) {
          track.stop();
          this.stream?.removeTrack(track);
        }
      }
      this.show();
      return;
    }
    void this.reopen();
  }

  private async offerChoices(): Promise<void> {
    for (const kind of ["audio", "video"] as const) {
      const devices = await list(kind);
      const choice = this.choices[kind];
      const used = this.stream?.getTracks().find((track) => track.kind === kind)?.getSettings().deviceId;
      const before = used ?? choice.value;
      choice.replaceChildren(...devices.map((device) => make("option", { value: device.deviceId }, device.label || "Unnamed")));
      if (devices.some((device) => device.deviceId === before)) choice.value = before;
      element(kind === "audio" ? "mic-field" : "cam-field").hidden = devices.length < 2;
    }
  }

  private show(): void {
    const { mic, cam } = this.guest;
    this.mirror.srcObject = cam ? this.stream : null;
    this.mirror.classList.toggle("on", cam);
    this.meter.listen(mic ? this.stream : null);
    element("level").hidden = !mic;
    element("mirror-note").textContent = cam ? "" : this.problem.video ? "No camera" : "Your camera is off";
    dress("want-mic", mic, mic ? "Turn the microphone off" : "Turn the microphone on", "mic");
    dress("want-cam", cam, cam ? "Turn the camera off" : "Turn the camera on", "cam");
    const problem = element("device-problem");
    const words = explain(this.problem);
    problem.textContent = words;
    problem.hidden = words === "";
    element("join-note").textContent =
      mic && cam ? "" : mic ? "You join with your voice only." : cam ? "You join with your microphone off." : "You join to see and listen.";
  }
}

/** What one agrees to by coming in: whether it is recorded, until when one may come in and stay. */
function terms({ recorded, closesAt, endsAt, now }: Door): string {
  return [
    ...(recorded ? ["It is recorded."] : []),
    ...(closesAt && (!endsAt || closesAt < endsAt) ? [`You can come in until ${when(closesAt, now).replace(/^(at|on) /, "")}.`] : []),
    ...(endsAt ? [`It ends ${when(endsAt, now)}.`] : []),
  ].join(" ");
}

function fill(id: string, words: string): void {
  element(id).textContent = words;
  element(id).hidden = words === "";
}

function dress(id: string, on: boolean, label: string, drawing: string): void {
  const button = element(id);
  button.replaceChildren(icon(on ? drawing : `${drawing}-off`));
  button.setAttribute("aria-label", label);
  button.title = label;
  button.classList.toggle("off", !on);
}
