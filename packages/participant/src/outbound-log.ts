import { frameBytes, type Up, type UpName } from '@coppice/protocol';
import type { OutboundRecord } from './session-state.ts';

const RECORDS_KEPT = 100;

/** The last messages that left this device, without their frames. */
export class OutboundLog {
  #records: readonly OutboundRecord[] = [];

  /** At most 100, newest last. A new array after every change. */
  get records(): readonly OutboundRecord[] {
    return this.#records;
  }

  /**
   * Adds a message.
   *
   * @param sent.at milliseconds since the epoch.
   * @param sent.norm L2 norm of a contribution's change of the model.
   */
  add<N extends UpName>(
    name: N,
    message: Up<N>,
    { at, norm }: { at: number; norm?: number | undefined },
  ): void {
    const { frame, ...fields } = message as Up<N> & { frame?: Uint8Array | ArrayBuffer };
    const bytes = JSON.stringify(fields).length + (frame === undefined ? 0 : frameBytes(frame).byteLength);
    const record = { at, name, bytes, fields, ...(norm === undefined ? {} : { norm }) };
    this.#records = [...this.#records, record].slice(-RECORDS_KEPT);
  }
}
