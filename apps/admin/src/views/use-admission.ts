import type { Run } from '@coppice/protocol';
import { useEffect, useMemo, useState } from 'preact/hooks';
import {
  type AdmissionApi,
  type AdmissionState,
  runAdmission,
  taskAdmission,
} from '../live/admission-api.ts';
import { connection } from '../live/live.ts';
import { act } from './act.ts';

export interface LiveAdmission {
  readonly api: AdmissionApi;
  /** The run that it is of; null: a task. */
  readonly run: string | null;
  /** Null until it is fetched. */
  readonly info: AdmissionState | null;
  /** Runs an action, and shows its result. */
  readonly reload: (work: () => Promise<unknown>) => void;
}

/** Fetches a run's admission, and again when it changes, when participants come and go, and after a lost connection. */
export function useAdmission({ id, admission, participants }: Run): LiveAdmission {
  const api = useMemo(() => runAdmission(id), [id]);
  return { api, run: id, ...useLive(api, [admission, participants]) };
}

/** Fetches the admission of those that report for a task, and again with `changes`. */
export function useTaskAdmission(task: string, changes: number): LiveAdmission {
  const api = useMemo(() => taskAdmission(task), [task]);
  return { api, run: null, ...useLive(api, [changes]) };
}

function useLive(api: AdmissionApi, changes: readonly unknown[]): Pick<LiveAdmission, 'info' | 'reload'> {
  const [info, setInfo] = useState<AdmissionState | null>(null);
  const live = connection.value === 'live';
  useEffect(() => {
    if (!live) return;
    let current = true;
    api.fetch().then(
      (found) => {
        if (current) setInfo(found);
      },
      // Shown as it was; the next change asks again.
      () => {},
    );
    return () => {
      current = false;
    };
  }, [api, live, ...changes]);
  const reload = (work: () => Promise<unknown>) =>
    void act(async () => {
      await work();
      setInfo(await api.fetch());
    });
  return { info, reload };
}
