import type { CheckpointId, Release } from '@coppice/protocol';
import { moveChannel } from '../live/releases-api.ts';
import { ReleaseDialog } from './release-dialog.tsx';
import { releaseText } from './release-texts.ts';
import type { LiveReleases } from './use-releases.ts';

/** A release that is being asked for. */
export interface AskedRelease {
  readonly checkpoint: CheckpointId;
  /** The last release of production when the question was put: another one in between refuses this one. */
  readonly production: Release | null;
}

/** Asks before it makes a checkpoint of a task its production model. `asked`: null while the dialog is closed. */
export function MakeProduction({
  task,
  asked,
  live,
  onClose,
}: {
  task: string;
  asked: AskedRelease | null;
  live: LiveReleases;
  onClose: () => void;
}) {
  const t = releaseText();
  const replaced = asked?.production?.checkpoint ?? null;
  return (
    <ReleaseDialog
      open={asked !== null}
      title={t.makeTitle(asked?.checkpoint ?? '')}
      action={t.make}
      onRelease={(reason) => {
        if (asked === null) return;
        const { checkpoint, production } = asked;
        const expected = production?.sequence ?? null;
        live.reload(() => moveChannel(task, { channel: 'production', checkpoint, expected, reason }));
      }}
      onClose={onClose}
    >
      <p>{t.makeText(`/models/${task}/production/model.json`)}</p>
      {replaced !== null && <p>{t.replaces(replaced)}</p>}
    </ReleaseDialog>
  );
}
