import type { Kysely } from 'kysely';
import type { BlobStore } from './blobs.ts';
import type { Tables } from './schema.ts';
import type { WeightsStorage } from './weights-storage.ts';

/**
 * The given weights' part of `sqlStorage`.
 *
 * @param exclusively runs work while no blob is deleted.
 * @param sweep deletes the blobs that are litter and that nothing names.
 */
export function sqlWeights(
  db: Kysely<Tables>,
  {
    blobs,
    exclusively,
    sweep,
  }: {
    blobs: BlobStore;
    exclusively: <T>(work: () => Promise<T>) => Promise<T>;
    sweep: () => Promise<void>;
  },
): WeightsStorage {
  return {
    addUpload: (bytes, at) =>
      exclusively(async () => {
        const hash = await blobs.put(bytes);
        await db
          .insertInto('upload')
          .values({ hash, at })
          .onConflict((c) => c.column('hash').doUpdateSet({ at }))
          .execute();
        return hash;
      }),
    async upload(hash) {
      const row = await db.selectFrom('upload').select('hash').where('hash', '=', hash).executeTakeFirst();
      return row === undefined ? null : blobs.get(hash);
    },
    async forgetUploads(before) {
      const gone = await exclusively(() =>
        db.transaction().execute(async (transaction) => {
          const rows = await transaction
            .deleteFrom('upload')
            .where('at', '<', before)
            .returning('hash')
            .execute();
          for (const { hash } of rows)
            await transaction
              .insertInto('litter')
              .values({ hash })
              .onConflict((c) => c.column('hash').doNothing())
              .execute();
          return rows.length;
        }),
      );
      if (gone > 0) await sweep();
      return gone;
    },
  };
}
