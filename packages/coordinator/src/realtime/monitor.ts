import { CoppiceError } from '@coppice/protocol';
import type { Tasks } from '../registry/tasks.ts';
import type { Admissions } from '../security/admissions.ts';
import { taskPlace } from '../security/places.ts';
import type { MonitoredTasks } from '../watch/monitored-tasks.ts';
import type { Handler } from './handlers.ts';
import type { Presences } from './presences.ts';

export interface MonitorHandlerOptions {
  readonly tasks: Pick<Tasks, 'get'>;
  readonly monitored: Pick<MonitoredTasks, 'offers' | 'isWatched'>;
  readonly admissions: Pick<Admissions, 'come' | 'refusal'>;
  readonly presences: Pick<Presences, 'socketOf'>;
}

/** Handles "monitor". An invitation is redeemed first, where the task does not admit its sender otherwise. */
export function monitorHandler({
  tasks,
  monitored,
  admissions,
  presences,
}: MonitorHandlerOptions): Handler<'monitor'> {
  return async ({ task, invitation, ...claim }, { participant, socket, invitations }) => {
    const place = taskPlace(tasks.get(task).id);
    const ensureHere = () => {
      if (presences.socketOf(participant) !== socket)
        throw new CoppiceError('connection-lost', 'The connection broke before the offer was taken.');
    };
    if (invitation !== undefined && admissions.refusal(participant, place) !== null)
      await invitations(async () => {
        ensureHere();
        await admissions.come(participant, place, invitation);
      });
    // An offer of a connection that is gone would outlive it.
    ensureHere();
    const ticket = monitored.offers.comes(task, participant, claim);
    return { watched: monitored.isWatched(task), ticket };
  };
}
