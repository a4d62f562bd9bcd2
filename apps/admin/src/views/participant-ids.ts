/** The participants in a text that somebody pasted, each once, and what in it is no participant's id. */
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
