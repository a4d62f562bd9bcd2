/**
 * A bar of `width` characters, filled by `share` (0 to 1). Both parts differ in form as well as in colour, so the bar
 * is readable without any.
 */
export function bar(share: number, width: number, colour: boolean): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  const done = '━'.repeat(filled);
  const left = '─'.repeat(width - filled);
  return colour ? `\x1b[32m${done}\x1b[39m\x1b[2m${left}\x1b[22m` : done + left;
}
