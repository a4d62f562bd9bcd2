import type { Round, Run } from '@coppice/protocol';
import { catalogue, formatDuration, formatNumber } from '@coppice/ui';
import { coordinatorNow } from '../live/live.ts';
import { phaseWords } from '../words.ts';
import { failureText } from './failure-text.ts';
import { tick } from './parts.tsx';

const text = catalogue(
  {
    created: 'Not started yet. People can already join; rounds begin after you press Start.',
    nobody:
      'Nobody has joined yet. Send the link of the client page to people, or start headless participants with pnpm simulate.',
    nobodyInvited:
      'Nobody has joined yet. Make an invitation under “Who may take part”, and send its link to people.',
    nobodyListed:
      'Nobody has joined yet. Put people on the list under “Who may take part”, and send them the link of the client page.',
    waiting: (here: string, needed: string) =>
      `Waiting for participants: ${here} of the ${needed} needed are here. The round begins by itself.`,
    agreeing:
      'The participants agree on the scale of each column: each sends sums of its values, once. The first round begins by itself.',
    again: 'The next attempt begins in a moment.',
    next: 'The next round begins in a moment.',
    collecting: (round: string, done: string, target: string) =>
      `Round ${round} is under way: ${done} of ${target} updates are in.`,
    closes: (time: string) => `It closes in ${time} at the latest.`,
    working: (round: string, phase: string) => `Round ${round}: ${phase.toLowerCase()}.`,
    pausing: 'Paused. The open round still ends; no other begins until you resume.',
    paused: 'Paused. No round begins until you resume.',
    pausedBecause: 'Paused by the coordinator, for the reason below. No round begins until you resume.',
    finished: (rounds: string) => `Finished after ${rounds} rounds. Its models stay here to download.`,
    stopped: 'Stopped by the admin. The model of the last committed round is kept.',
    failed: 'The run failed.',
    abandoned: (round: string, times: number) =>
      times === 1
        ? `Round ${round} was abandoned once; the model stays as it was.`
        : `Round ${round} was abandoned ${times} times in a row; the model stays as it was.`,
    allRefused: 'Every update that came was refused: the reasons stand under “Refused updates”.',
    quorum: 'A longer deadline, a smaller quorum or more over-selection would help in a new run.',
    diverged:
      'If they are not finite or out of range, the training diverged: launch a new run with a smaller local learning rate.',
    someDiverged:
      'If it diverged on all devices, launch a new run with a smaller local learning rate. If only on some, ban them and resume.',
  },
  {
    created: '尚未开始。参与者已可加入；按“开始”后轮次才会进行。',
    nobody: '还没有人加入。请把参与页的链接发给大家，或用 pnpm simulate 启动无界面参与者。',
    nobodyInvited: '还没有人加入。请在“谁可以参与”中创建邀请，并把链接发给大家。',
    nobodyListed: '还没有人加入。请在“谁可以参与”中把人列入名单，并把参与页的链接发给他们。',
    waiting: (here, needed) => `等待参与者：需要 ${needed} 位，已有 ${here} 位。人数足够后自动开始。`,
    agreeing: '参与者正在商定每一列的缩放：各自发送一次数值总和。随后自动开始第一轮。',
    again: '即将再次尝试。',
    next: '下一轮即将开始。',
    collecting: (round, done, target) => `第 ${round} 轮进行中：已收到 ${target} 份更新中的 ${done} 份。`,
    closes: (time) => `最迟 ${time}后结束。`,
    working: (round, phase) => `第 ${round} 轮：${phase}。`,
    pausing: '已暂停。进行中的一轮仍会结束；继续之前不再开始新的一轮。',
    paused: '已暂停。继续之前不会开始新的一轮。',
    pausedBecause: '已由协调器暂停，原因见下。继续之前不会开始新的一轮。',
    finished: (rounds) => `共 ${rounds} 轮，已完成。模型保留在此，可以下载。`,
    stopped: '已由管理员停止。最后提交的模型已保留。',
    failed: '训练失败。',
    abandoned: (round, times) => `第 ${round} 轮已连续放弃 ${times} 次；模型保持不变。`,
    allRefused: '收到的更新全部被拒绝：原因见“被拒绝的更新”。',
    quorum: '新的训练中可延长截止时间、降低法定份额或提高超额邀请。',
    diverged: '若原因是非有限值或超出范围，说明训练发散：请用更小的本地学习率重新发起。',
    someDiverged:
      '若所有设备都发散，请用更小的本地学习率重新发起；若只有部分设备发散，请禁止这些设备，然后继续。',
  },
);

/** The run's current state in one sentence. */
export function Standing({ run, rounds }: { run: Run; rounds: readonly Round[] }) {
  return (
    <p class="lead" aria-live="polite">
      {sentence(run, rounds)} {run.deadlineAt !== null && <Countdown until={run.deadlineAt} />}
    </p>
  );
}

/** Counts down every second. Hidden from screen readers, which would read every change. */
function Countdown({ until }: { until: number }) {
  // Read so that it counts.
  void tick.value;
  return (
    <span class="figure" aria-live="off">
      {text().closes(formatDuration(until - coordinatorNow()))}
    </span>
  );
}

function sentence(run: Run, rounds: readonly Round[]): string {
  const t = text();
  const open = rounds.findLast(({ outcome }) => outcome === 'open');
  const round = formatNumber(run.round + 1);
  if (run.status === 'created') return t.created;
  if (run.status === 'paused') {
    if (open !== undefined) return t.pausing;
    return run.reason === null ? t.paused : t.pausedBecause;
  }
  if (run.status === 'finished') return t.finished(formatNumber(run.round));
  if (run.status === 'stopped') return t.stopped;
  if (run.status === 'failed') return t.failed;
  if (run.phase === 'waiting' && run.participants === 0 && rounds.length === 0)
    return { open: t.nobody, invited: t.nobodyInvited, listed: t.nobodyListed }[run.admission];
  if (run.phase === 'waiting' && run.participants < run.needed) {
    return t.waiting(formatNumber(run.participants), formatNumber(run.needed));
  }
  if (run.phase === 'scaling') return t.agreeing;
  if (run.phase === 'collect' && open !== undefined) {
    return t.collecting(round, formatNumber(open.accepted), formatNumber(open.target));
  }
  if (run.phase === 'idle' || run.phase === 'waiting') {
    return abandonedInRow(rounds).length > 0 ? t.again : t.next;
  }
  return t.working(round, phaseWords()[run.phase]);
}

/** Problems of a run, with their remedies. */
export function Troubles({ run, rounds }: { run: Run; rounds: readonly Round[] }) {
  const t = text();
  const failed = abandonedInRow(rounds);
  const last = failed.at(-1);
  const stopped = run.status === 'stopped' || last?.reason?.code === 'run-ended';
  return (
    <>
      {run.reason !== null && (
        <div class="note bad" role="alert" data-testid="run-reason">
          <p>
            {failureText(run.reason)} <code>{run.reason.code}</code>
          </p>
          {run.status === 'paused' && run.reason.code === 'training-diverged' && <p>{t.someDiverged}</p>}
        </div>
      )}
      {last !== undefined && !stopped && run.reason === null && (
        <div class="note warn">
          <p>
            {t.abandoned(formatNumber(last.round), failed.length)}{' '}
            {last.reason !== null && failureText(last.reason)} <code>{last.reason?.code}</code>
          </p>
          {last.refused > 0 && last.accepted === 0 && <p>{t.allRefused}</p>}
          {last.reason?.code === 'quorum-lost' && last.refused === 0 && <p>{t.quorum}</p>}
          {(last.reason?.code === 'training-diverged' || (last.refused > 0 && last.accepted === 0)) && (
            <p>{t.diverged}</p>
          )}
        </div>
      )}
    </>
  );
}

/** The abandoned attempts since the last committed round; an open attempt in progress does not count. */
export function abandonedInRow(rounds: readonly Round[]): readonly Round[] {
  const closed = rounds.filter(({ outcome }) => outcome !== 'open');
  return closed.slice(closed.findLastIndex(({ outcome }) => outcome === 'committed') + 1);
}
