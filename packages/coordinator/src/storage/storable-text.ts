/** Replaces NUL characters, which PostgreSQL cannot store. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

/** As `storable`, for all texts of a record. */
export function storableText<T extends object>(record: T): T {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      typeof value === 'string' ? storable(value) : value,
    ]),
  ) as T;
}
