import type { ColumnDataType, ColumnDefinitionBuilder, Kysely, RawBuilder } from 'kysely';

/** Where SQLite and PostgreSQL cannot be told the same thing in the same words. */
export interface Flavour {
  /** Text that is ordered and compared by its bytes, whatever language the server was set up for. */
  readonly text: ColumnDataType | RawBuilder<unknown>;
  /** A whole number that the database itself counts up. */
  readonly numbered: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;
}

/** One step from a version of the tables to the next. It sees the tables as they were then, so none of today's types. */
export type Migration = (db: Kysely<unknown>, flavour: Flavour) => Promise<void>;
