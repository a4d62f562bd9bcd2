import { parentPort, threadId } from 'node:worker_threads';
import { CoppiceError, type Measured } from '@coppice/protocol';
import type { Answer, Job } from './jobs.ts';

/*
 * A thread for tests that does what the name of a task says: "never…" loops without an end, "dies…" ends the thread,
 * anything else is answered with the number of the thread.
 */
parentPort?.on('message', (job: Job) => {
  const name = nameOf(job);
  if (name.startsWith('never')) for (;;);
  if (name.startsWith('dies')) throw new Error('as it was told');
  if (name.startsWith('refused')) {
    const error = new CoppiceError('model-invalid', 'as it was told').toWire();
    parentPort?.postMessage({ error } satisfies Answer);
    return;
  }
  const layout = [{ name: `${threadId}`, shape: [1], trainable: true }];
  const weights = new Float32Array(1);
  const measured: Measured = { lossSum: threadId, examples: 1, hits: null, perClass: null };
  const results = {
    check: {
      topology: { class_name: 'Sequential', config: `${threadId}` },
      layout,
      loss: 'categoricalCrossentropy' as const,
    },
    layout,
    describe: { layout, weights },
    evaluate: new Map([[0, measured]]),
    'read-weights': { tensors: threadId, parameters: 1 },
    'fit-weights': weights,
    export: new Uint8Array([threadId]),
    samples: new Uint8Array([threadId]),
  };
  parentPort?.postMessage({ result: results[job.kind] } satisfies Answer);
});

function nameOf(job: Job): string {
  if (job.kind === 'check') return String(job.model);
  if (!('task' in job)) return job.kind;
  return typeof job.task === 'string' ? job.task : job.task.id;
}
