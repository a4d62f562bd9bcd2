import type { Run, RunAdmission } from '@coppice/protocol';
import { useEffect, useState } from 'preact/hooks';
import { fetchAdmission } from '../live/admission-api.ts';
import { connection } from '../live/live.ts';
import { act } from './act.ts';

export interface LiveAdmission {
  /** Null until it is fetched. */
  readonly info: RunAdmission | null;
  /** Runs an action, and shows its result. */
  readonly reload: (work: () => Promise<unknown>) => void;
}

/** Fetches a run's admission, and again when it changes, when participants come and go, and after a lost connection. */
export function useAdmission({ id, admission, participants }: Run): LiveAdmission {
  const [info, setInfo] = useState<RunAdmission | null>(null);
  const live = connection.value === 'live';
  useEffect(() => {
    if (!live) return;
    let current = true;
    fetchAdmission(id).then(
      (found) => {
        if (current) setInfo(found);
      },
      // Shown as it was; the next change asks again.
      () => {},
    );
    return () => {
      current = false;
    };
  }, [id, admission, participants, live]);
  const reload = (work: () => Promise<unknown>) =>
    void act(async () => {
      await work();
      setInfo(await fetchAdmission(id));
    });
  return { info, reload };
}
