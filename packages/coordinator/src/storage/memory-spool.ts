import { CoppiceError, frameBytes } from '@coppice/protocol';
import { type Opening, ownerOf, type Spool, type SpooledAnswer } from './spool.ts';

/** A spool in memory, for tests and temporary coordinators. */
export function memorySpool(): Spool {
  const exchanges = new Map<string, { opening: Opening; answers: SpooledAnswer[] }>();
  return {
    open(opening) {
      exchanges.set(ownerOf(opening), { opening: structuredClone(opening), answers: [] });
    },
    append(owner, answer) {
      const exchange = exchanges.get(owner);
      if (exchange === undefined) {
        return Promise.reject(
          new CoppiceError('storage-failed', `No exchange of ${owner} is open in the spool.`),
        );
      }
      exchange.answers.push(structuredClone(answer));
      return Promise.resolve();
    },
    recover(owner) {
      const exchange = exchanges.get(owner);
      if (exchange === undefined) return Promise.resolve(null);
      const { opening, answers } = structuredClone(exchange);
      return Promise.resolve({
        opening,
        damage: null,
        async *answers() {
          yield* answers;
        },
      });
    },
    frame(owner, participant) {
      const found = exchanges.get(owner)?.answers.findLast((one) => one.participant === participant);
      if (found === undefined) return null;
      const bytes = frameBytes(found.answer.frame);
      return {
        byteLength: bytes.byteLength,
        read: async (into, at) => into.set(bytes.subarray(at, at + into.byteLength)),
      };
    },
    drop(owner) {
      exchanges.delete(owner);
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
