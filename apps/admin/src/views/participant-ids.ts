/** Reads participants' ids from pasted text, without duplicates, and the parts of it that are no ids. */
export function readIds(text: string): {
  readonly ids: readonly string[];
  readonly wrong: readonly string[];
} {
  const words = text
    .split(/[\s,;，；、"']+/)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
  const isId = (word: string) => /^[0-9a-f]{32}$/.test(word);
  return { ids: [...new Set(words.filter(isId))], wrong: words.filter((word) => !isId(word)) };
}
