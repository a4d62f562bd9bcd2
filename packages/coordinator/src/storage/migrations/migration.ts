import type { ColumnDataType, ColumnDefinitionBuilder, Kysely, RawBuilder } from 'kysely';

/** Column definitions that differ between SQLite and PostgreSQL. */
export interface Flavour {
  /** Text that is ordered and compared by its bytes, for any locale of the server. */
  readonly text: ColumnDataType | RawBuilder<unknown>;
  /** An auto-incremented whole number. */
  readonly numbered: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
}

/** A step from a version of the tables to the next. It sees the tables as they were then, so it uses none of today's types. */
export type Migration = (db: Kysely<unknown>, flavour: Flavour) => Promise<void>;
