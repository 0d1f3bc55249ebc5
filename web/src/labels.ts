import { icon, make } from "./element";
import type { People } from "./people";

/** Where somebody is in the picture, in percent of it. */
export interface Place {
  readonly member_id?: string | undefined;
  readonly position?: string | undefined;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly visible?: boolean | undefined;
}

/** Write the names into the picture. It is one film for everybody, so they lie above it, each where its person is. */
export function label(picture: HTMLElement, places: readonly Place[], people: People): void {
  const frame = picture.querySelector(".paddingWrapper");
  if (!frame) return; // nothing to see yet
  let layer = frame.querySelector<HTMLElement>(".labels");
  if (!layer) {
    layer = make("div", { class: "labels", "aria-hidden": "true" });
    frame.append(layer);
  }
  const shown = places.flatMap((place) => {
    const person = people.get(place.member_id ?? "");
    // Somebody without a camera is shown as a card, which bears the name already.
    return person && (place.visible || person.hand) ? [{ place, person }] : [];
  });
  const state = JSON.stringify(shown);
  if (layer.dataset["state"] === state) return;
  layer.dataset["state"] = state;
  layer.replaceChildren(
    ...shown.map(({ place, person }) => {
      const name = make("span", {}, person.kind === "screen" ? `${person.name}’s screen` : person.name);
      const pill = make("p", {}, ...(person.audioMuted && person.kind === "member" ? [icon("mic-off")] : []), name);
      const cell = make("div", { class: person.hand ? "raised" : undefined }, pill);
      if (person.hand) pill.prepend(icon("hand"));
      cell.style.left = `${place.x}%`;
      cell.style.top = `${place.y}%`;
      cell.style.width = `${place.width}%`;
      cell.style.height = `${place.height}%`;
      return cell;
    }),
  );
}
