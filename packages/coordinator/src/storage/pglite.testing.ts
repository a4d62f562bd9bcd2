import { PGlite, types } from '@electric-sql/pglite';
import { Kysely, PGliteDialect } from 'kysely';
import type { Tables } from './schema.ts';

/** PostgreSQL in WebAssembly for the tests of a file: one server, made once, since that takes seconds. */
export class SharedPglite {
  readonly #folder: string | undefined;
  #server: PGlite | null = null;

  /** @param folder where its data lies; in memory without it. */
  constructor(folder?: string) {
    this.#folder = folder;
  }

  /** Connects to a database with nothing in it. Closing the connection leaves the server to the next test. */
  async empty(): Promise<Kysely<Tables>> {
    await this.exec('drop schema public cascade; create schema public');
    return this.connect();
  }

  /** Connects to the database as it is. */
  connect(): Kysely<Tables> {
    const server = this.#running();
    let closed = false;
    const pglite = {
      get closed() {
        return closed;
      },
      ready: true,
      waitReady: server.waitReady,
      query: server.query.bind(server),
      transaction: server.transaction.bind(server),
      close: async () => {
        closed = true;
      },
    };
    return new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }) });
  }

  async exec(text: string): Promise<void> {
    await this.#running().exec(text);
  }

  /** Ends the server; the next use starts it on the same folder. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    await server?.close();
  }

  #running(): PGlite {
    this.#server ??= new PGlite(this.#folder, { parsers: { [types.INT8]: Number } });
    return this.#server;
  }
}
