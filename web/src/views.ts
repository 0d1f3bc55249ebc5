import { element } from "./element";

type View = "lobby" | "notice" | "call";

/** What the page shows besides the room: a few words, and perhaps something to do. */
export interface Notice {
  readonly title: string;
  readonly lead: string;
  /** What the button says. Without `act` it loads the page anew. */
  readonly action?: string | undefined;
  readonly act?: (() => Promise<void>) | undefined;
}

/** Show one of the three views. */
export function show(view: View): void {
  for (const one of ["lobby", "notice", "call"] as const) element(one).hidden = one !== view;
  document.documentElement.classList.toggle("in-call", view === "call");
  if (view !== "lobby") element(`${view}-title`).focus({ preventScroll: true });
}

/** Whether this view is shown. */
export function shows(view: View): boolean {
  return !element(view).hidden;
}

/** Show a few words instead of the room. */
export function tell({ title, lead, action, act }: Notice): void {
  element("notice-title").textContent = title;
  element("notice-lead").textContent = lead;
  const button = element<HTMLButtonElement>("notice-action");
  button.hidden = action === undefined;
  button.textContent = action ?? "";
  button.setAttribute("aria-busy", "false");
  button.onclick = () => {
    if (!act) return location.reload();
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    button.textContent = "One moment…";
    void act();
  };
  document.title = `${title} – Parlour`;
  show("notice");
}
