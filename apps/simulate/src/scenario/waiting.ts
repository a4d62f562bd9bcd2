import type { Session, SessionState } from '@coppice/participant';
import { CoppiceError } from '@coppice/protocol';

/** Milliseconds after which a state that should come is given up. */
const LONGEST = 120_000;

/**
 * Resolves when a session's state is as wanted.
 *
 * @throws CoppiceError the refusal of the coordinator; `connection-lost` where the state does not come in two minutes.
 */
export function until(session: Session, what: string, wanted: (state: SessionState) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let end = () => {};
    const look = (state: SessionState) => {
      const done = wanted(state);
      if (!done && state.connection !== 'refused') return;
      end();
      if (done) resolve();
      else reject(CoppiceError.fromWire(state.error ?? { code: 'internal', message: 'A device was refused.' }));
    };
    const timer = setTimeout(() => {
      end();
      const { connection, activity, error } = session.state;
      reject(
        new CoppiceError(
          'connection-lost',
          `A simulated device waited in vain until ${what}. It is ${connection} and ${activity.kind}${error === null ? '' : `, and was told: ${error.message}`} Run the scenario again.`,
        ),
      );
    }, LONGEST);
    const stop = session.subscribe(look);
    end = () => {
      stop();
      clearTimeout(timer);
    };
    look(session.state);
  });
}
