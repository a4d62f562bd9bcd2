import { CoppiceError, isErrorCode, type WireError } from '@coppice/protocol';
import { transferHandlers } from 'comlink';

/** A thrown value in transfer. Comlink's own handler keeps an error's message and loses its code. */
interface Thrown {
  readonly value: unknown;
}

/**
 * Registers a transfer handler that keeps the code of a `CoppiceError` between page and worker. Call on both sides,
 * before the first call through comlink.
 */
export function errorTransfer(): void {
  const plain = transferHandlers.get('throw');
  if (plain === undefined) throw new Error('comlink has no handler for thrown values');
  transferHandlers.set('throw', {
    canHandle: plain.canHandle,
    serialize(thrown: Thrown) {
      if (thrown.value instanceof CoppiceError) return [{ coppice: thrown.value.toWire() }, []];
      return plain.serialize(thrown);
    },
    deserialize(serialized: unknown) {
      const wire = (serialized as { coppice?: WireError }).coppice;
      if (wire !== undefined && isErrorCode(wire.code)) throw CoppiceError.fromWire(wire);
      return plain.deserialize(serialized);
    },
  });
}
