import { CoppiceError } from '@coppice/protocol';
import type { ParcelAddress, ParcelPass, ParcelSource } from './parcel-source.ts';

/** One request to a scripted source: it gives these bytes, then fails, hangs or ends. */
export interface Step {
  readonly bytes?: Uint8Array;
  readonly end?: CoppiceError | 'hang';
}

export interface Asked {
  readonly address: ParcelAddress;
  readonly from: number;
  readonly pass: ParcelPass;
}

/** A source that answers by a script, a step a request; `asked` has the requests. */
export function scriptedSource(...steps: readonly Step[]): ParcelSource & { readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const received = { messages: 0, bytes: 0 };
  return {
    asked,
    async *read(address, from, { pass, signal }) {
      const step = steps[asked.length];
      asked.push({ address, from, pass });
      if (step === undefined) throw new Error('the script has ended');
      received.messages++;
      if (step.bytes !== undefined && step.bytes.byteLength > 0) {
        received.bytes += step.bytes.byteLength;
        yield step.bytes;
      }
      if (step.end === 'hang')
        await new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          if (signal.aborted) reject(signal.reason);
        });
      else if (step.end !== undefined) throw step.end;
    },
    get traffic() {
      return { sent: { messages: asked.length, bytes: 0 }, received: { ...received } };
    },
  };
}

export const broken = () => new CoppiceError('connection-lost', 'The line broke.');
