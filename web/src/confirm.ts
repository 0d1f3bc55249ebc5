import { element } from "./element";

/** Ask before something that cannot be taken back. Resolves with whether to do it. */
export function confirmed(title: string, lead: string, action: string): Promise<boolean> {
  const dialog = element<HTMLDialogElement>("confirm");
  element("confirm-title").textContent = title;
  element("confirm-lead").textContent = lead;
  element("confirm-yes").textContent = action;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
