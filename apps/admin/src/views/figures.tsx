import {
  classesOf,
  hasScaledTarget,
  type Metrics,
  type Round,
  type Run,
  type TaskInfo,
  targetError,
  targetUnit,
} from '@coppice/protocol';
import { catalogue, extremes, formatBytes, formatDuration, formatNumber, formatShare } from '@coppice/ui';
import { coordinatorNow } from '../live/live.ts';
import { formatError, formatLoss } from '../words.ts';
import { Figure, tick } from './parts.tsx';
import { text as shared } from './texts.ts';

const text = catalogue(
  {
    rounds: 'Rounds',
    needed: (n: string) => `${n} needed`,
    best: (value: string, round: string) => `best ${value}, round ${round}`,
    lowest: (value: string, round: string) => `lowest ${value}, round ${round}`,
    updates: 'Updates taken',
    refused: (n: string) => `${n} refused`,
    traffic: 'Traffic',
    time: 'Time',
    left: (time: string) => `about ${time} to go`,
  },
  {
    rounds: '轮数',
    needed: (n) => `需要 ${n} 位`,
    best: (value, round) => `最高 ${value}，第 ${round} 轮`,
    lowest: (value, round) => `最低 ${value}，第 ${round} 轮`,
    updates: '已接受更新',
    refused: (n) => `拒绝 ${n}`,
    traffic: '流量',
    time: '用时',
    left: (time) => `约剩 ${time}`,
  },
);

/** Key figures of a run: last, best, traffic, time. `task`: `null` until the task is known. */
export function Figures({
  run,
  rounds,
  task,
}: {
  run: Run;
  rounds: readonly Round[];
  task: Pick<TaskInfo, 'data' | 'loss'> | null;
}) {
  const data = task?.data ?? null;
  const t = text();
  const done = rounds.filter(({ outcome }) => outcome === 'committed');
  const of = (what: 'accuracy' | 'loss') =>
    extremes(done.map(({ round, central }) => ({ x: round, y: central?.[what] ?? null })));
  const accuracy = of('accuracy');
  const loss = of('loss');
  const sum = (what: (round: Round) => number) => rounds.reduce((total, round) => total + what(round), 0);
  const up = sum(({ bytesUp }) => bytesUp);
  const down = sum(({ bytesDown }) => bytesDown);
  const refused = sum((round) => round.refused);
  return (
    <div class="figures">
      <Figure
        label={t.rounds}
        value={`${formatNumber(run.round)} / ${formatNumber(run.rounds)}`}
        testId="run-round"
      />
      {task !== null && data !== null && classesOf(data) === null ? (
        <Figure
          label={shared().typicalError}
          value={errorIn(task, run.central)}
          detail={lowestError(task, done)}
        />
      ) : (
        <Figure
          label={shared().accuracy}
          value={run.central?.accuracy == null ? '–' : formatShare(run.central.accuracy)}
          detail={
            accuracy === null ? undefined : t.best(formatShare(accuracy.max.y), formatNumber(accuracy.max.x))
          }
        />
      )}
      <Figure
        label={data !== null && hasScaledTarget(data) ? shared().scaledLoss : shared().loss}
        value={run.central?.loss == null ? '–' : formatLoss(run.central.loss)}
        detail={loss === null ? undefined : t.lowest(formatLoss(loss.min.y), formatNumber(loss.min.x))}
      />
      <Figure
        label={shared().participants}
        value={formatNumber(run.participants)}
        detail={t.needed(formatNumber(run.needed))}
      />
      <Figure
        label={t.updates}
        value={formatNumber(sum(({ accepted }) => accepted))}
        detail={t.refused(formatNumber(refused))}
      />
      <Figure
        label={t.traffic}
        value={formatBytes(up + down)}
        detail={`↑ ${formatBytes(up)} ↓ ${formatBytes(down)}`}
      />
      <Elapsed run={run} done={done} />
    </div>
  );
}

type NumberTask = Pick<TaskInfo, 'data' | 'loss'>;

/** The typical error of a model, in the target's unit. */
function errorIn(task: NumberTask, metrics: Metrics | null): string {
  const error = targetError(metrics, task);
  return error === null ? '–' : formatError(error, targetUnit(task.data));
}

/** The lowest typical error of a run's rounds, with its round; `undefined` where none is known. */
function lowestError(task: NumberTask, done: readonly Round[]): string | undefined {
  const errors = extremes(done.map(({ round, central }) => ({ x: round, y: targetError(central, task) })));
  return errors === null
    ? undefined
    : text().lowest(formatError(errors.min.y, targetUnit(task.data)), formatNumber(errors.min.x));
}

function Elapsed({ run, done }: { run: Run; done: readonly Round[] }) {
  const t = text();
  const running = run.endedAt === null;
  // Read so that it counts.
  if (running) void tick.value;
  const elapsed = (run.endedAt ?? coordinatorNow()) - run.createdAt;
  const recent = done.slice(-5);
  const each =
    recent.reduce((total, { startedAt, endedAt }) => total + ((endedAt ?? startedAt) - startedAt), 0) /
    Math.max(1, recent.length);
  const left = run.status === 'running' && recent.length > 0 ? each * (run.rounds - run.round) : null;
  return (
    <Figure
      label={t.time}
      value={formatDuration(elapsed)}
      detail={left === null ? undefined : t.left(formatDuration(left))}
    />
  );
}
