import { element } from "./element";

const LOOK_MS = 1000;
/** So many looks without a picture are no slow start. */
const LOOKS = 4;

/** A room may keep its picture from whoever comes, until they ask for it (`room_join_video_off`). Offers to ask. */
export class Curtain {
  private timer = 0;
  private dark = 0;

  /** Watch the picture of a call. */
  open(): void {
    this.close();
    this.timer = window.setInterval(() => this.look(), LOOK_MS);
  }

  close(): void {
    clearInterval(this.timer);
    this.dark = 0;
    element("reveal").hidden = true;
  }

  private look(): void {
    const film = element("picture").querySelector("video");
    if (film && film.videoWidth > 0) return this.close(); // once it is there, it stays
    // While the connection is lost, that is what is said.
    this.dark = element("stage-note").hidden ? this.dark + 1 : 0;
    element("reveal").hidden = this.dark < LOOKS;
  }
}
