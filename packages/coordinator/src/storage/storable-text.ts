/** PostgreSQL has no place for the character zero: wherever a record holds one, it is replaced. */
export function storableText<T extends object>(record: T): T {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value,
    ]),
  ) as T;
}
