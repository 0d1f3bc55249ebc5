import { Refused } from "./refusals";

const PATIENCE_MS = 10_000;

export type Turn = "pause" | "resume" | "stop";

/** A recording as the server tells it. */
export interface Recording {
  readonly id: string;
  readonly status: string;
}

/** Recording a session, over REST: the browser SDK has nothing for it. */
export class Recorder {
  private readonly room: string;

  /** `token` gives the one that the page came in by. */
  constructor(
    page: string,
    private readonly token: () => Promise<string>,
  ) {
    this.room = page.replace(/[?#].*/, "").replace(/\/$/, "");
  }

  /** The recording that is going on, paused or not. */
  async live(session: string): Promise<Recording | null> {
    return this.ask("GET", `${this.room}/sessions/${session}/recording`);
  }

  async start(session: string): Promise<Recording | null> {
    return this.ask("POST", this.recordings(session), {});
  }

  async turn(session: string, id: string, action: Turn): Promise<Recording | null> {
    return this.ask("PUT", `${this.recordings(session)}/${id}`, { action });
  }

  private recordings(session: string): string {
    return new URL(`../api/video/room_sessions/${session}/recordings`, this.room).href;
  }

  /** Rejects with a reason that there are words for. */
  private async ask(method: string, path: string, body?: object): Promise<Recording | null> {
    const answer = await fetch(path, {
      method,
      headers: { Authorization: `Bearer ${await this.token()}`, ...(body && { "Content-Type": "application/json" }) },
      ...(body && { body: JSON.stringify(body) }),
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch(() => null);
    if (!answer) throw new Refused("unreachable");
    if (answer.status === 204) return null;
    if (answer.ok) return (await answer.json()) as Recording;
    throw new Refused(REASONS[answer.status] ?? "unavailable");
  }
}

const REASONS: Readonly<Record<number, string>> = {
  401: "may_not_record",
  403: "may_not_record",
  404: "no_recording",
  422: "other_recording",
};
