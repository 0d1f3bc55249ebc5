/** Camera and microphone: asking for them, and saying plainly what is wrong with them. */

export type Kind = "audio" | "video";

export interface Wanted {
  readonly mic: boolean;
  readonly cam: boolean;
  readonly micId: string;
  readonly camId: string;
}

export interface Opened {
  readonly stream: MediaStream;
  readonly problem: Partial<Record<Kind, Fault>>;
}

/** Why a device cannot be used. */
export type Fault = "denied" | "missing" | "busy" | "insecure" | "broken";

/** What to ask a microphone for. */
export function micConstraints(deviceId: string): MediaTrackConstraints {
  return {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    ...(deviceId && { deviceId: { exact: deviceId } }),
  };
}

/** What to ask a camera for. */
export function camConstraints(deviceId: string): MediaTrackConstraints {
  return {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    aspectRatio: { ideal: 16 / 9 },
    frameRate: { ideal: 30 },
    ...(deviceId && { deviceId: { exact: deviceId } }),
  };
}

/** Open what is wanted, as far as it can be opened. Never rejects. */
export async function open(wanted: Wanted): Promise<Opened> {
  const constraints: MediaStreamConstraints = {
    audio: wanted.mic && micConstraints(wanted.micId),
    video: wanted.cam && camConstraints(wanted.camId),
  };
  if (!wanted.mic && !wanted.cam) return { stream: new MediaStream(), problem: {} };
  if (!navigator.mediaDevices) {
    const fault: Fault = "insecure";
    return { stream: new MediaStream(), problem: { ...(wanted.mic && { audio: fault }), ...(wanted.cam && { video: fault }) } };
  }
  const both = await attempt(constraints);
  if (typeof both !== "string") return { stream: both, problem: {} };
  if (!wanted.mic || !wanted.cam) return { stream: new MediaStream(), problem: { [wanted.mic ? "audio" : "video"]: both } };
  // One of the two is at fault, or both are: ask again one by one.
  const tracks: MediaStreamTrack[] = [];
  const problem: Partial<Record<Kind, Fault>> = {};
  for (const kind of ["audio", "video"] as const) {
    const found = await attempt({ [kind]: constraints[kind] });
    if (typeof found === "string") problem[kind] = found;
    else tracks.push(...found.getTracks());
  }
  return { stream: new MediaStream(tracks), problem };
}

/** The devices of a kind, as far as the browser tells. */
export async function list(kind: Kind): Promise<MediaDeviceInfo[]> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return all.filter((device) => device.kind === `${kind}input` && device.deviceId !== "");
}

/** Let go of the devices. */
export function close(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** What is wrong, and what to do about it. */
export function explain(problem: Partial<Record<Kind, Fault>>): string {
  const { audio, video } = problem;
  if (!audio && !video) return "";
  const what = audio && video ? "camera and microphone" : audio ? "microphone" : "camera";
  const without = audio
    ? "You can join without, and see and hear the others."
    : "You can join without; the others will hear you.";
  switch (audio ?? video) {
    case "denied":
      return `This page may not use your ${what}. Allow it beside the address bar and reload. ${without}`;
    case "missing":
      return `No ${audio && video ? "camera and no microphone" : what} found. ${without}`;
    case "busy":
      return `Your ${what} cannot be used just now; another program may be using it. ${without}`;
    case "insecure":
      return `Browsers give camera and microphone only to pages that come over https. ${without}`;
    default:
      return `Your ${what} cannot be used. ${without}`;
  }
}

async function attempt(constraints: MediaStreamConstraints): Promise<MediaStream | Fault> {
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    switch ((error as DOMException).name) {
      case "NotAllowedError":
        return "denied";
      case "NotFoundError":
        return "missing";
      case "OverconstrainedError": // the device of last time is gone: any other will do
        return retryWithAny(constraints);
      case "NotReadableError":
      case "AbortError":
        return "busy";
      default:
        return "broken";
    }
  }
}

async function retryWithAny(constraints: MediaStreamConstraints): Promise<MediaStream | Fault> {
  if (!JSON.stringify(constraints).includes("exact")) return "missing";
  return attempt({
    audio: constraints.audio ? micConstraints("") : false,
    video: constraints.video ? camConstraints("") : false,
  });
}
