import type { Channel, CheckpointId, Release } from '@coppice/protocol';
import { formatShare } from '@coppice/ui';
import { useState } from 'preact/hooks';
import { may, runs } from '../live/live.ts';
import { moveChannel } from '../live/releases-api.ts';
import { channelWords } from '../words.ts';
import { checkpointsToOffer } from './checkpoints-to-offer.ts';
import { ReleaseDialog } from './release-dialog.tsx';
import { releaseText } from './release-texts.ts';
import type { LiveReleases } from './use-releases.ts';

/** A move that is being asked for, with the channel's last move when the question was put: another one in between refuses it. */
interface Asked {
  readonly act: 'move' | 'empty';
  readonly expected: Release | null;
}

/** Moves the channel `candidate` or `canary` by hand, and empties it. */
export function MoveChannel({
  task,
  channel,
  live,
}: {
  task: string;
  channel: Exclude<Channel, 'production'>;
  live: LiveReleases;
}) {
  const t = releaseText();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [chosen, setChosen] = useState<CheckpointId | null>(null);
  const release = live.info?.channels[channel] ?? null;
  const named = release?.checkpoint ?? null;
  const offered = checkpointsToOffer(runs.value, task, null).filter(({ id }) => id !== named);
  const checkpoint = chosen ?? offered[0]?.id ?? null;
  if (!may('releases:write') || live.info === null) return null;
  const name = channelWords()[channel];
  const isMove = asked?.act === 'move';
  return (
    <div class="row tight-row">
      {offered.length > 0 && (
        <button
          type="button"
          class="button small"
          data-testid={`move-${channel}`}
          onClick={() => setAsked({ act: 'move', expected: release })}
        >
          {t.move}
        </button>
      )}
      {named !== null && (
        <button
          type="button"
          class="button small"
          data-testid={`empty-${channel}`}
          onClick={() => setAsked({ act: 'empty', expected: release })}
        >
          {t.empty}
        </button>
      )}
      <ReleaseDialog
        open={asked !== null}
        title={isMove ? t.moveTitle(name) : t.emptyTitle(name)}
        action={isMove ? t.move : t.empty}
        onRelease={(reason) => {
          const expected = asked?.expected?.sequence ?? null;
          const to = isMove ? checkpoint : null;
          live.reload(() => moveChannel(task, { channel, checkpoint: to, expected, reason }));
        }}
        onClose={() => {
          setAsked(null);
          setChosen(null);
        }}
      >
        {isMove && (
          <div class="field">
            <label for={`move-to-${channel}`}>{t.checkpoint}</label>
            <select
              id={`move-to-${channel}`}
              class="input"
              data-testid={`move-to-${channel}`}
              value={checkpoint ?? ''}
              onChange={({ currentTarget }) => setChosen(currentTarget.value)}
            >
              {offered.map(({ id, accuracy }) => (
                <option key={id} value={id}>
                  {accuracy === null ? id : `${id} · ${formatShare(accuracy)}`}
                </option>
              ))}
            </select>
          </div>
        )}
        <p>{t.endsRetraining}</p>
      </ReleaseDialog>
    </div>
  );
}
