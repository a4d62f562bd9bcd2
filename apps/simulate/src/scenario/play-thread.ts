import { parentPort } from 'node:worker_threads';
import { CoppiceError, type WireError } from '@coppice/protocol';
import { newDataOnly } from './new-data-only.ts';
import { type PlayedPeriod, play } from './play.ts';
import { scenarios } from './scenarios/index.ts';
import { type SchemeName, schemes } from './schemes/index.ts';

/** What a thread is to play. */
export interface Part {
  readonly name: string;
  readonly seed: number;
  /** `newDataOnly`: no scheme, but the model that is trained on the new data alone. */
  readonly scheme: SchemeName | 'newDataOnly';
}

export type PartEvent =
  | { readonly kind: 'period'; readonly period: PlayedPeriod }
  | { readonly kind: 'accuracy'; readonly accuracy: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly error: WireError; readonly stack: string | undefined };

const tell = (event: PartEvent) => parentPort?.postMessage(event);

async function playPart({ name, seed, scheme }: Part): Promise<void> {
  const scenario = scenarios.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`no scenario is called ${name}`);
  if (scheme === 'newDataOnly') tell({ kind: 'accuracy', accuracy: await newDataOnly(scenario, seed) });
  else
    await play(
      scenario,
      seed,
      (world) => schemes[scheme](world, scenario),
      (period) => tell({ kind: 'period', period }),
    );
  tell({ kind: 'done' });
}

parentPort?.once('message', (part: Part) => {
  playPart(part).catch((thrown: unknown) => {
    const { stack } = thrown as Error;
    tell({ kind: 'failed', error: CoppiceError.from(thrown).toWire(), stack });
  });
});
