import type { Runs } from '../registry/runs.ts';
import type { Admissions } from '../security/admissions.ts';
import { emit } from './emit.ts';
import type { Presences } from './presences.ts';

/** Removes members that their run no longer admits, and closes the connections of banned participants. */
export function putOut(
  runs: Pick<Runs, 'engines'>,
  admissions: Pick<Admissions, 'refusal'>,
  presences: Pick<Presences, 'socketOf' | 'sockets'>,
): void {
  for (const engine of runs.engines()) {
    for (const participant of engine.members()) {
      const why = admissions.refusal(participant, engine.id);
      if (why === null) continue;
      engine.putOut(participant, why);
      const socket = presences.socketOf(participant);
      // A participant that is banned from everything is told once, below.
      if (socket !== null && admissions.refusal(participant, null) === null)
        emit(socket, 'notice', { ...why.toWire(), run: engine.id });
    }
  }
  for (const [participant, socket] of presences.sockets()) {
    const banned = admissions.refusal(participant, null);
    if (banned === null) continue;
    emit(socket, 'notice', banned.toWire());
    socket.disconnect(true);
  }
}
