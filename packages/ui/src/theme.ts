import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';
const STORED = 'coppice.theme';

/** The chosen theme; `system` follows the device. */
export const theme = signal<Theme>(stored());

/** Keeps `<html data-theme>` at the current one of `light` and `dark`. Call once at the start of a page. */
export function startTheme(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    const inForce = theme.value === 'system' ? (dark.matches ? 'dark' : 'light') : theme.value;
    document.documentElement.dataset.theme = inForce;
  };
  dark.addEventListener('change', apply);
  effect(apply);
}

export function setTheme(next: Theme): void {
  theme.value = next;
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

function stored(): Theme {
  try {
    const kept = localStorage.getItem(STORED);
    if (kept === 'light' || kept === 'dark') return kept;
  } catch {
    // As above.
  }
  return 'system';
}
