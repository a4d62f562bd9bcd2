// A door of its own: for pages that hold a session anyway.
import type { OpenLocalData, Session, TrainerHost } from '@coppice/participant';
import { systemClock, systemRandom } from '@coppice/ports/system';
import { type Client, ModelClient } from './client.ts';
import { predictorsOn } from './predictor.ts';
import { sessionDevice } from './session-device.ts';
import type { Visibility } from './visibility.ts';

export type { Client } from './client.ts';
export type { Input } from './input.ts';
export type { Visibility } from './visibility.ts';

export interface SessionClientOptions {
  /** The coordinator's address, without a slash at its end. */
  readonly url: string;
  readonly task: string;
  /** Goes on when the client is closed. */
  readonly session: Session;
  readonly openData: OpenLocalData;
  /** Runs the predictions. */
  readonly predictions: TrainerHost;
  /** Milliseconds between two questions for a new release, where no news of one comes. */
  readonly interval: number;
  readonly visibility: Visibility;
}

/** A client of a task's production on a session that a page holds anyway: with its identity, its connection and its counts. */
export function sessionClient(options: SessionClientOptions): Client {
  const { url, task, session, openData, predictions, interval, visibility } = options;
  return new ModelClient(
    { url, task, channel: 'production', interval },
    {
      request: (...request) => fetch(...request),
      clock: systemClock,
      random: systemRandom,
      visibility,
      makePredictor: predictorsOn(predictions),
      openDevice: () => sessionDevice({ url, session, openData, close: () => {} }),
      hasDevice: true,
    },
  );
}
