import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { type SqliteDatabase, SqliteDialect } from 'kysely';

/** Kysely over Node's own SQLite, adapted to the interface of better-sqlite3 that Kysely's dialect expects. */
export function nodeSqliteDialect(database: DatabaseSync): SqliteDialect {
  const shaped: SqliteDatabase = {
    close: () => database.close(),
    prepare(sql) {
      // A full disk makes SQLite roll back by itself; Kysely's own rollback would then hide the reason.
      const statement = database.prepare(
        sql === 'rollback' && !database.isTransaction ? 'select 1 where false' : sql,
      );
      const values = (parameters: readonly unknown[]) => parameters as SQLInputValue[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...values(parameters)),
        run(parameters) {
          const { changes, lastInsertRowid } = statement.run(...values(parameters));
          return { changes, lastInsertRowid };
        },
        iterate: (parameters) => statement.iterate(...values(parameters)),
      };
    },
  };
  return new SqliteDialect({ database: shaped });
}
