import { CoppiceError, frameBytes } from '@coppice/protocol';
import type { RoundOpening, Spool, SpooledAnswer } from './spool.ts';

/** A spool in memory, for tests and temporary coordinators. */
export function memorySpool(): Spool {
  const rounds = new Map<string, { opening: RoundOpening; answers: SpooledAnswer[] }>();
  return {
    open(opening) {
      rounds.set(opening.run, { opening: structuredClone(opening), answers: [] });
    },
    append(run, answer) {
      const round = rounds.get(run);
      if (round === undefined) {
        return Promise.reject(new CoppiceError('storage-failed', `No round of ${run} is open in the spool.`));
      }
      round.answers.push(structuredClone(answer));
      return Promise.resolve();
    },
    recover(run) {
      const round = rounds.get(run);
      if (round === undefined) return Promise.resolve(null);
      const { opening, answers } = structuredClone(round);
      return Promise.resolve({
        opening,
        damage: null,
        async *answers() {
          yield* answers;
        },
      });
    },
    frame(run, participant) {
      const found = rounds.get(run)?.answers.findLast((one) => one.participant === participant);
      if (found === undefined) return null;
      const bytes = frameBytes(found.answer.frame);
      return {
        byteLength: bytes.byteLength,
        read: async (into, at) => into.set(bytes.subarray(at, at + into.byteLength)),
      };
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
