import { type ModelSummary, readModelFile, summaryOf } from '@coppice/model-files/files';
import { writeSafetensors } from '@coppice/model-files/safetensors';
import { CoppiceError, type Topology, type WireError } from '@coppice/protocol';

/* A thread that reads the files of a model: the readers are loaded here, and a large file leaves the page at work. */

export interface ReadFiles {
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** What files hold: the weights as a safetensors file, null where there are none. */
export interface FoundModel {
  readonly topology: Topology;
  readonly weights: Uint8Array<ArrayBuffer> | null;
  readonly summary: ModelSummary;
}

export type ReadAnswer = { readonly found: FoundModel } | { readonly error: WireError };

self.onmessage = async ({ data }: MessageEvent<ReadFiles>) => {
  try {
    const file = await readModelFile(data.files);
    const weights = file.weights === null ? null : writeSafetensors(file.weights);
    const found: FoundModel = { topology: file.topology, weights, summary: summaryOf(file) };
    answer({ found }, weights === null ? [] : [weights.buffer]);
  } catch (thrown) {
    answer({ error: CoppiceError.from(thrown).toWire() }, []);
  }
};

function answer(message: ReadAnswer, transfer: Transferable[]): void {
  self.postMessage(message, { transfer });
}
