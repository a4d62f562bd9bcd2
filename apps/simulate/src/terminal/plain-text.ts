/**
 * Removes control characters from a message: one from the network could otherwise move the cursor, change colours or
 * overwrite earlier output.
 */
export function plainText(message: string): string {
  return message.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').trim();
}
