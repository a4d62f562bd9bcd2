/**
 * The class chosen by a key: the one of that name or, where no class is named by a digit, the one at that position,
 * counted from 1. Arrow keys move cyclically. `null` for any other key.
 */
export function classOfKey(key: string, current: number, classes: readonly string[]): number | null {
  if (key === 'ArrowRight' || key === 'ArrowDown') return (current + 1) % classes.length;
  if (key === 'ArrowLeft' || key === 'ArrowUp') return (current + classes.length - 1) % classes.length;
  if (!/^\d$/.test(key)) return null;
  const named = classes.indexOf(key);
  if (named >= 0) return named;
  const place = Number(key) - 1;
  return place >= 0 && place < classes.length ? place : null;
}
