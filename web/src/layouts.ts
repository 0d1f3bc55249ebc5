/** Names and little drawings of the layouts. */

type Box = readonly [x: number, y: number, width: number, height: number];

const NAMES: Readonly<Record<string, string>> = {
  "grid-responsive": "Grid",
  "grid-responsive-mobile": "Large tiles",
  "highlight-1-responsive": "Speaker",
  "1x1": "One",
  "2x1": "Two",
  "5up": "Five",
  "screen-share": "Shared screen",
  "presenter-dual-horizontal": "Presenter",
  "full-screen": "Full screen",
};

const DRAWN: Readonly<Record<string, readonly Box[]>> = {
  "grid-responsive": grid(3, 2),
  "grid-responsive-mobile": grid(2, 2),
  "highlight-1-responsive": [[0, 0, 2 / 3, 2 / 3], [2 / 3, 0, 1 / 3, 1 / 3], [2 / 3, 1 / 3, 1 / 3, 1 / 3], ...row(3, 2 / 3, 1 / 3)],
  "screen-share": [[0, 0, 0.76, 1], ...grid(1, 3).map<Box>(([, y, , height]) => [0.8, y, 0.2, height])],
  "presenter-dual-horizontal": [[0, 0.25, 0.5, 0.5], [0.5, 0.25, 0.5, 0.5]],
  "5up": [[0, 0], [2, 0], [1, 1], [0, 2], [2, 2]].map<Box>(([x = 0, y = 0]) => [x / 3, y / 3, 1 / 3, 1 / 3]),
};

/** What people call a layout. */
export function layoutName(name: string): string {
  return NAMES[name] ?? name.replace("x", " × ");
}

/** A little drawing of a layout. */
export function pictogram(name: string): SVGSVGElement {
  const [, across, down] = /^(\d+)x(\d+)$/.exec(name) ?? [];
  const boxes = DRAWN[name] ?? (across ? grid(Number(across), Number(down)) : grid(1, 1));
  const namespace = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(namespace, "svg");
  drawing.setAttribute("viewBox", "0 0 48 27");
  drawing.setAttribute("aria-hidden", "true");
  for (const [x, y, width, height] of boxes) {
    const box = document.createElementNS(namespace, "rect");
    const gap = boxes.length > 30 ? 0.6 : 1.2;
    const numbers = { x: x * 48 + gap / 2, y: y * 27 + gap / 2, width: width * 48 - gap, height: height * 27 - gap, rx: 1 };
    for (const [key, number] of Object.entries(numbers)) box.setAttribute(key, number.toFixed(2));
    drawing.append(box);
  }
  return drawing;
}

function grid(across: number, down: number): Box[] {
  return Array.from({ length: across * down }, (_, n) => [
    (n % across) / across,
    Math.floor(n / across) / down,
    1 / across,
    1 / down,
  ]);
}

function row(across: number, y: number, height: number): Box[] {
  return Array.from({ length: across }, (_, n) => [n / across, y, 1 / across, height]);
}
