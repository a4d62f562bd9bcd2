import { CoppiceError, requiresOf, type Up } from '@coppice/protocol';
import type { Handler, HandlersOptions } from './handlers.ts';
import type { Sender } from './sender.ts';

/** Handles "join". An invitation is redeemed first, where the run does not admit its sender otherwise. */
export function joinHandler({
  runs,
  admitted,
  admissions,
  presences,
}: Pick<HandlersOptions, 'runs' | 'admitted' | 'admissions' | 'presences'>): Handler<'join'> {
  const join = (message: Up<'join'>, { participant, features }: Sender) => {
    const { run } = message;
    const engine = admitted.engine(participant, run);
    ensureSupported([...requiresOf(engine.record.plan), ...engine.requires], features);
    const joined = engine.join(participant, message);
    presences.joined(participant, run);
    // After the answer to "join", so that the participant knows the run when its round begins.
    setImmediate(() => engine.afterJoin(participant));
    return joined;
  };
  return (message, sender) => {
    const { participant, socket, invitations } = sender;
    const { run, invitation } = message;
    if (invitation === undefined || admitted.admits(participant, run)) return join(message, sender);
    const ensureHere = () => {
      if (presences.socketOf(participant) !== socket)
        throw new CoppiceError('connection-lost', 'The connection broke before the run was joined.');
    };
    return invitations(async () => {
      ensureHere();
      // Known and alive, or the use of the invitation would be spent for nothing.
      runs.engine(run);
      await admissions.come(participant, run, invitation);
      // Gone while that was written down: it is let in when it comes again.
      ensureHere();
      return join(message, sender);
    });
  };
}

/** @throws CoppiceError `plan-unsupported`, naming all missing capabilities. */
function ensureSupported(required: readonly string[], features: ReadonlySet<string>): void {
  const missing = required.filter((name) => !features.has(name));
  if (missing.length === 0) return;
  throw new CoppiceError(
    'plan-unsupported',
    `This run needs a program that knows ${missing.join(', ')}. Reload the page, or update the program, to take part.`,
  );
}
