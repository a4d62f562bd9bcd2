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
   * @param sent.question the kind of a task's question that it answers.
   */
  add<N extends UpName>(
    name: N,
    message: Up<N>,
    { at, ...more }: { at: number; norm?: number | undefined; question?: string | undefined },
  ): void {
    const { frame, ...fields } = message as Up<N> & { frame?: Uint8Array | ArrayBuffer };
    const bytes = JSON.stringify(fields).length + (frame === undefined ? 0 : frameBytes(frame).byteLength);
    const told = Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined));
    const record = { at, name, bytes, fields, ...told };
    this.#records = [...this.#records, record].slice(-RECORDS_KEPT);
  }
}
