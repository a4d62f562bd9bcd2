import type { Run, RunAdmission } from '@coppice/protocol';
import { useEffect, useState } from 'preact/hooks';
import { fetchAdmission } from '../live/admission-api.ts';
import { connection } from '../live/live.ts';
import { act } from './act.ts';

export interface LiveAdmission {
  /** Null until it came. */
  readonly info: RunAdmission | null;
  /** Does something, and shows what became of it. */
  readonly reload: (work: () => Promise<unknown>) => void;
}

/** Who may take part in a run: fetched anew when its admission changes, when people come and go, and after a break. */
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
