/**
 * A message without control characters: one that came over the network could otherwise move the
 * cursor, change colours or write over what was printed.
 */
export function plainText(message: string): string {
  return message.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim();
}
