import {
  type Channel,
  type CheckpointId,
  channels,
  partsOfCheckpointId,
  type Release,
  type Run,
} from '@coppice/protocol';
import { formatDateTime, formatNumber, localized } from '@coppice/ui';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { may } from '../live/live.ts';
import { undoRelease } from '../live/releases-api.ts';
import { writeRoute } from '../shell/route.ts';
import { channelWords } from '../words.ts';
import { authorText } from './firing-texts.ts';
import { List } from './list.tsx';
import { MoveChannel } from './move-channel.tsx';
import { CopyButton } from './parts.tsx';
import { ReleaseDialog } from './release-dialog.tsx';
import { releaseText } from './release-texts.ts';
import type { LiveReleases } from './use-releases.ts';

/** The channels of a run's task, with their history. */
export function ReleasesSection({ run, live }: { run: Run; live: LiveReleases }) {
  const t = releaseText();
  const { info, moves, more } = live;
  if (info === null) return null;
  const { production } = info.channels;
  const code = `const model = await tf.loadLayersModel('${location.origin}/models/${run.task}/production/model.json');`;
  return (
    <section class="stack" aria-labelledby="releases-title" data-testid="releases">
      <h2 id="releases-title">{t.title}</h2>
      <p class="small quiet">
        {t.intro(localized(run.title))}{' '}
        <a href={writeRoute({ view: 'monitoring', task: run.task, period: null })}>{t.monitoring}</a>
      </p>
      <ul class="channels">
        {channels.map((channel) => (
          <ChannelCard key={channel} channel={channel} release={info.channels[channel]}>
            {channel === 'production' ? (
              <Undo task={run.task} live={live} />
            ) : (
              <MoveChannel task={run.task} channel={channel} live={live} />
            )}
          </ChannelCard>
        ))}
      </ul>
      {production !== null && (
        <div class="code-line">
          <span class="small quiet">{t.use}</span>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
          <pre tabIndex={0}>
            <code>{code}</code>
          </pre>
          <CopyButton value={code} />
          <a href={`/models/${run.task}/production/example.html`}>{t.example}</a>
        </div>
      )}
      {moves.length > 0 && <h3>{t.history}</h3>}
      <List
        label={t.history}
        testId="release-history"
        rows={moves}
        keyOf={({ sequence }) => sequence}
        low
        columns={[
          { name: t.number, heading: true, cell: ({ sequence }) => formatNumber(sequence) },
          { name: t.channel, cell: ({ channel }) => channelWords()[channel] },
          { name: t.checkpoint, cell: ({ checkpoint }) => <Named id={checkpoint} /> },
          { name: t.before, cell: ({ before }) => <Named id={before} /> },
          { name: t.when, cell: ({ at }) => formatDateTime(at) },
          { name: t.by, cell: authorOf },
          { name: t.why, class: 'said', cell: (release) => <Why release={release} /> },
        ]}
      />
      {(moves.at(-1)?.sequence ?? 1) > 1 && (
        <p>
          <button type="button" class="button small" onClick={more}>
            {t.earlier}
          </button>
        </p>
      )}
    </section>
  );
}

function ChannelCard({
  channel,
  release,
  children,
}: {
  channel: Channel;
  release: Release | null;
  children: ComponentChildren;
}) {
  const t = releaseText();
  return (
    <li class="card stack tight" data-testid={`channel-${channel}`}>
      <h3>{channelWords()[channel]}</h3>
      {release === null ? (
        <p class="quiet">{t.never}</p>
      ) : (
        <>
          <p>{release.checkpoint === null ? t.emptied : <Named id={release.checkpoint} />}</p>
          <p class="small quiet">{t.since(formatDateTime(release.at), authorOf(release))}</p>
          <p class="small anywhere">
            <Why release={release} />
          </p>
        </>
      )}
      {children}
    </li>
  );
}

function Undo({ task, live }: { task: string; live: LiveReleases }) {
  const t = releaseText();
  const production = live.info?.channels.production ?? null;
  const to = live.info?.undo ?? null;
  // As they were when the question was put: a release in between refuses the undo.
  const [asked, setAsked] = useState<{ readonly production: Release; readonly to: CheckpointId } | null>(
    null,
  );
  if (!may('releases:write')) return null;
  return (
    <div>
      {production !== null && to !== null && (
        <button
          type="button"
          class="button small"
          data-testid="undo-release"
          onClick={() => setAsked({ production, to })}
        >
          {t.undo}
        </button>
      )}
      <ReleaseDialog
        open={asked !== null}
        title={t.undoTitle}
        action={t.undo}
        onRelease={(reason) => {
          if (asked === null) return;
          const expected = asked.production.sequence;
          live.reload(() => undoRelease(task, { expected, reason }));
        }}
        onClose={() => setAsked(null)}
      >
        <p>{t.undoText(asked?.production.checkpoint ?? t.none, asked?.to ?? t.none)}</p>
      </ReleaseDialog>
    </div>
  );
}

/** A checkpoint, with a link to its run. */
function Named({ id }: { id: string | null }) {
  if (id === null) return <>{releaseText().none}</>;
  return (
    <a class="mono" href={writeRoute({ view: 'run', run: partsOfCheckpointId(id).run })}>
      {id}
    </a>
  );
}

function Why({ release: { undoes, reason } }: { release: Release }) {
  return (
    <>
      {undoes !== null && <span class="quiet">{releaseText().undone(formatNumber(undoes))} · </span>}
      {reason}
    </>
  );
}

function authorOf({ by }: Release): string {
  return authorText(by.name, by.by === 'trigger' ? by.firing : null);
}
