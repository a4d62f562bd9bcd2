import type { MonitorTerms } from '@coppice/participant';
import { systemClock, systemRandom } from '@coppice/ports/system';
import { type Channel, ChannelSchema, CoppiceError, HashSchema, TaskIdSchema } from '@coppice/protocol';
import * as z from 'zod/mini';
import { type Client, ModelClient } from './client.ts';
import { openDevice } from './open-device.ts';
import { ownPredictor } from './predictor.ts';
import { pageVisibility } from './visibility.ts';

const NamedModelSchema = z.union([ChannelSchema, z.literal('latest'), HashSchema]);

export interface ConnectOptions {
  /** Address of the coordinator, such as `https://coppice.example`. */
  readonly url: string;
  /** Id of the task. */
  readonly task: string;
  /**
   * The channel to predict with; left out: `production`. Or `latest`, production or else the newest trained model; or the
   * hash of a checkpoint, which stays.
   */
  readonly channel?: Channel | 'latest' | (string & {});
  /** Milliseconds between two questions for a new release, from 1,000; left out: 60,000. */
  readonly interval?: number;
  /** The consent that the person gave to the watching of predictions, as in `Client.monitor`; left out: nothing is reported. */
  readonly monitor?: MonitorTerms;
}

/**
 * Predicts with the model that a channel of a task names, and goes on with the next one as soon as there is one. Returns
 * at once; `predict` waits until the first model is here.
 *
 * @throws CoppiceError `config-invalid`
 */
export function connect(options: ConnectOptions): Client {
  const { interval = 60_000 } = options;
  const task = TaskIdSchema.safeParse(options.task);
  const channel = NamedModelSchema.safeParse(options.channel ?? 'production');
  if (!task.success) throw invalid('task', 'the id of a task: small letters, digits and hyphens');
  if (!channel.success)
    throw invalid('channel', 'candidate, canary, production, latest or the hash of a checkpoint');
  if (!(interval >= 1000 && interval <= 2 ** 31 - 1))
    throw invalid('interval', 'milliseconds, at least 1,000');
  const url = addressOf(options.url);
  const client = new ModelClient(
    { url, task: task.data, channel: channel.data, interval },
    {
      request: (...request) => fetch(...request),
      clock: systemClock,
      random: systemRandom,
      visibility: pageVisibility,
      makePredictor: ownPredictor,
      openDevice: () => openDevice(url),
      hasDevice: false,
    },
  );
  // A failure is told by the event `monitor`.
  if (options.monitor !== undefined) client.monitor(options.monitor).catch(() => {});
  return client;
}

function addressOf(url: string): string {
  const address = URL.canParse(url) ? new URL(url) : null;
  if (address === null || !/^https?:$/.test(address.protocol))
    throw invalid('url', 'the address of a coordinator, with http:// or https://');
  return `${address.origin}${address.pathname.replace(/\/+$/, '')}`;
}

function invalid(option: string, wanted: string): CoppiceError {
  return new CoppiceError('config-invalid', `The option "${option}" of connect takes ${wanted}.`);
}
