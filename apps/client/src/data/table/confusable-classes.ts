/** The first two classes that differ only by case, in their order; `null`: there are none. */
export function confusableClasses(classes: readonly string[]): [string, string] | null {
  const seen = new Map<string, string>();
  for (const name of classes) {
    const key = name.normalize('NFC').trim().toLowerCase();
    const earlier = seen.get(key);
    if (earlier !== undefined) return [earlier, name];
    seen.set(key, name);
  }
  return null;
}
