import { CoppiceError } from '@coppice/protocol';
import type { RoundOpening, Spool, SpooledUpdate } from './spool.ts';

/** A spool that dies with its process: for tests and throw-away coordinators. */
export function memorySpool(): Spool {
  const rounds = new Map<string, { opening: RoundOpening; updates: SpooledUpdate[] }>();
  return {
    open(opening) {
      rounds.set(opening.run, { opening: structuredClone(opening), updates: [] });
    },
    append(run, update) {
      const round = rounds.get(run);
      if (round === undefined) {
        return Promise.reject(new CoppiceError('storage-failed', `No round of ${run} is open in the spool.`));
      }
      round.updates.push(structuredClone(update));
      return Promise.resolve();
    },
    recover(run) {
      const round = rounds.get(run);
      if (round === undefined) return Promise.resolve(null);
      const { opening, updates } = structuredClone(round);
      return Promise.resolve({
        opening,
        damage: null,
        async *updates() {
          yield* updates;
        },
      });
    },
    drop(run) {
      rounds.delete(run);
      return Promise.resolve();
    },
    receive(payloadBytes) {
      let bytes = new Uint8Array(payloadBytes);
      return Promise.resolve({
        write: async (piece: Uint8Array, at: number) => bytes.set(piece, at),
        read: async (into: Uint8Array) => into.set(bytes.subarray(0, into.byteLength)),
        discard: async () => {
          bytes = new Uint8Array(0);
        },
      });
    },
    waiting: 0,
    close: () => Promise.resolve(),
  };
}
