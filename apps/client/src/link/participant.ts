import { CoppiceError } from '@coppice/protocol';
import * as Comlink from 'comlink';
import type { ClientApi } from '../worker/api.ts';
import { errorTransfer } from '../worker/error-transfer.ts';

/*
 * The page's line to its worker, where the participant lives. One at a time: the tab that holds the
 * lock has it, and `stop` ends it.
 */
let worker: Worker | null = null;
let remote: Comlink.Remote<ClientApi> | null = null;

/** Starts the worker. `broken` is called when it cannot be loaded. */
export function startWorker(broken: (error: CoppiceError) => void): Comlink.Remote<ClientApi> {
  if (remote !== null) return remote;
  errorTransfer();
  worker = new Worker(new URL('../worker/worker.ts', import.meta.url), { type: 'module' });
  worker.addEventListener('error', (event) => {
    broken(new CoppiceError('internal', event.message || 'The part of the page that trains did not load.'));
  });
  remote = Comlink.wrap<ClientApi>(worker);
  return remote;
}

export function stopWorker(): void {
  worker?.terminate();
  worker = null;
  remote = null;
}

/** @throws CoppiceError `already-training` while another tab has the participant. */
export function participant(): Comlink.Remote<ClientApi> {
  if (remote === null) throw new CoppiceError('already-training', 'Another tab of this browser takes part.');
  return remote;
}
