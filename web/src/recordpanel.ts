import { say } from "./announce";
import type { Doing } from "./doing";
import { element } from "./element";
import type { Meeting } from "./meeting";
import type { Recording, Turn } from "./recorder";
import { Refused } from "./refusals";

const TRIES = 5;
const PAUSE_MS = 400;

const WORDS: Readonly<Record<string, string>> = { recording: "Everybody sees a red dot", paused: "Paused" };

/** Starting, pausing and stopping the recording. */
export class RecordPanel {
  /** The one that is going on, as far as is known; `undefined` where it is not. */
  private live: Recording | null | undefined = undefined;
  private seen: { session: string; recording: boolean } | null = null;

  constructor(
    private readonly doing: Doing,
    private readonly meeting: () => Meeting | null,
  ) {
    this.on("record-start", (session, meeting) => meeting.recorder.start(session));
    for (const turn of ["pause", "resume", "stop"] as const) {
      this.on(`record-${turn}`, (session, meeting) => this.turn(session, meeting, turn));
    }
  }

  /** Ask the server what is going on. */
  look(): void {
    const meeting = this.meeting();
    const session = meeting?.gathering.room.sessionId;
    if (!meeting || !session || !meeting.gathering.rights.room("recording")) return;
    void meeting.recorder.live(session).then(
      (live) => {
        this.live = live;
        this.show();
      },
      () => {}, // what is known has to do; a click says what is wrong
    );
  }

  show(): void {
    const gathering = this.meeting()?.gathering;
    const offered = gathering?.rights.room("recording") ?? false;
    element("record").hidden = !offered;
    if (!gathering || !offered) return;
    const { sessionId: session, recording } = gathering.room;
    if (this.seen?.session !== session) this.live = undefined;
    if (this.seen?.session !== session || this.seen.recording !== recording) {
      this.seen = { session, recording };
      if (element("room-panel").matches(":popover-open")) this.look();
    }
    const status = recording ? "recording" : this.live?.status === "paused" ? "paused" : "";
    element("record").dataset["status"] = status;
    element("record-state").textContent = WORDS[status] ?? "Not recording";
    const used = document.activeElement;
    element("record-start").hidden = status !== "";
    element("record-pause").hidden = status !== "recording";
    element("record-resume").hidden = status !== "paused";
    element("record-stop").hidden = status === "";
    // The focus goes on to what has come in the place of the button that was used.
    if (used instanceof HTMLElement && used.hidden) element("record").querySelector<HTMLElement>("button:not([hidden])")?.focus();
  }

  private async turn(session: string, meeting: Meeting, turn: Turn): Promise<Recording | null> {
    // It may be another one by now, or so new that the server has yet to write it down.
    for (let tries = 1; ; tries++) {
      const live = await meeting.recorder.live(session);
      if (live) return meeting.recorder.turn(session, live.id, turn);
      if (tries === TRIES) throw new Refused("no_recording");
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  private on(id: string, act: (session: string, meeting: Meeting) => Promise<Recording | null>): void {
    element(id).addEventListener("click", () => {
      const meeting = this.meeting();
      if (!meeting) return;
      void this.doing.act(id, async () => {
        this.live = await act(meeting.gathering.room.sessionId, meeting);
        if (this.live?.status === "paused") say("The recording is paused.");
      });
    });
  }
}
