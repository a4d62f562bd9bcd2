/** PostgreSQL has no place for the character zero, nor looks for it: it is replaced. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

/** Wherever a record holds such a character. */
export function storableText<T extends object>(record: T): T {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      typeof value === 'string' ? storable(value) : value,
    ]),
  ) as T;
}
