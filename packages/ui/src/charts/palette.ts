/**
 * Eight slots that differ in hue, in lightness and in line style, so that no reader needs colour alone. The hues follow
 * Okabe and Ito, "Color Universal Design" (2008), with the pages' green first; `charts.css` holds them for light and
 * dark.
 */
export const SLOTS = 8;

const dashes: readonly (readonly number[])[] = [
  [],
  [8, 4],
  [2, 3],
  [10, 3, 2, 3],
  [16, 4],
  [5, 2, 1, 2, 1, 2],
  [1, 4],
  [8, 2, 2, 2, 2, 2],
];

/** The line style of a slot, as lengths of dash and gap in CSS pixels. */
export function slotDash(slot: number): number[] {
  return [...dashes[slot % SLOTS]!];
}

/** The colour of a slot, as CSS. */
export function slotColour(slot: number): string {
  return `var(--chart-${(slot % SLOTS) + 1})`;
}

export interface Palette {
  readonly slots: readonly string[];
  readonly ink: string;
  readonly quiet: string;
  readonly grid: string;
  readonly surface: string;
  readonly font: string;
}

/** The colours currently in force at an element, resolved for a canvas. */
export function readPalette(host: HTMLElement): Palette {
  const probe = document.createElement('span');
  probe.hidden = true;
  host.append(probe);
  const colour = (css: string) => {
    probe.style.color = css;
    return getComputedStyle(probe).color;
  };
  const palette: Palette = {
    slots: Array.from({ length: SLOTS }, (_, slot) => colour(slotColour(slot))),
    ink: colour('var(--chart-ink)'),
    quiet: colour('var(--chart-quiet)'),
    grid: colour('var(--chart-grid)'),
    surface: colour('var(--chart-surface)'),
    font: getComputedStyle(host).fontFamily,
  };
  probe.remove();
  return palette;
}
