import type { RunSummary } from '@coppice/protocol';
import { catalogue, formatDuration, formatNumber, localized } from '@coppice/ui';
import { problem } from '../errors/attempt.ts';
import { OwnId } from '../link/own-id.tsx';
import { away, session } from '../link/session.ts';
import { pick } from './actions.ts';
import { invitation } from './invitation.ts';
import { chosen, chosenTask, linked, open, plan, stage } from './run.ts';

const n = (value: number) => formatNumber(value);
const text = catalogue(
  {
    by: 'Run by',
    progress: 'Progress',
    rounds: (done: number, all: number, left: number) =>
      left <= 0 ? `all ${n(all)} rounds done` : `${n(done)} of ${n(all)} rounds done, ${n(left)} to go`,
    roundTakes: 'A round takes',
    atMost: (time: string) => `${time} at most`,
    people: 'People',
    peopleValue: (here: number, needed: number) => `${n(here)} here, ${n(needed)} needed`,
    who: 'Who may take part',
    invited: 'who has an invitation',
    listed: 'whom the operator put on a list',
    youAreInvited: 'You were invited to this training. The invitation is shown when you press Start.',
    askToBeListed: 'To be put on the list, tell the operator:',
    invitedElsewhere: (title: string) => `You were invited to “${title}”.`,
    goThere: 'Go there',
    leaveToGo: 'Leave this training to go there.',
    size: 'Model',
    parameters: (count: string) => `${count} parameters`,
    licence: 'Licence of the model',
    lastKnown: (state: string) => `last known: ${state}`,
    stateRunning: 'running',
    statePaused: 'paused',
    stateCreated: 'not started',
    stateFinished: 'finished',
    stateStopped: 'ended',
    stateFailed: 'failed',
    others: (count: number) => `Open trainings (${n(count)})`,
    leaveFirst: 'Leave this training to choose another.',
    emptyTitle: 'Nothing is being trained right now',
    empty:
      'Leave this page open: a training shows up here by itself as soon as one begins. Nothing runs and nothing is sent until you agree.',
    emptyOperator: 'Do you run this coordinator? Begin a training on the admin page.',
    admin: 'Admin page',
    gone: 'The training in your link does not exist here any more. Below is one that does.',
    goneEmpty: 'The training in your link does not exist here any more.',
    loading: 'Looking for open trainings…',
    awayTitle: 'The coordinator is not reachable',
    awayText: 'What is being trained there shows up by itself as soon as it answers.',
  },
  {
    by: '运营者',
    progress: '进度',
    rounds: (done, all, left) =>
      left <= 0 ? `全部 ${n(all)} 轮已完成` : `已完成 ${n(done)} / ${n(all)} 轮，还有 ${n(left)} 轮`,
    roundTakes: '每轮用时',
    atMost: (time) => `最多 ${time}`,
    people: '人数',
    peopleValue: (here, needed) => `现有 ${n(here)} 人，需要 ${n(needed)} 人`,
    who: '谁可以参与',
    invited: '持有邀请的人',
    listed: '运营者列入名单的人',
    youAreInvited: '你受邀参加这个训练。按“开始”时会出示邀请。',
    askToBeListed: '要列入名单，请告诉运营者：',
    invitedElsewhere: (title) => `你受邀参加“${title}”。`,
    goThere: '前往',
    leaveToGo: '退出当前训练后即可前往。',
    size: '模型',
    parameters: (count) => `${count} 个参数`,
    licence: '模型的许可',
    lastKnown: (state) => `上次得知：${state}`,
    stateRunning: '进行中',
    statePaused: '已暂停',
    stateCreated: '未开始',
    stateFinished: '已完成',
    stateStopped: '已结束',
    stateFailed: '出错',
    others: (count) => `开放的训练（${n(count)}）`,
    leaveFirst: '退出当前训练后才能选择其他训练。',
    emptyTitle: '目前没有正在进行的训练',
    empty: '让本页开着即可：一旦有训练开始，会自动显示在这里。在你同意之前，不会运行也不会发送任何内容。',
    emptyOperator: '你是运营者吗？请在管理页面开始一次训练。',
    admin: '管理页面',
    gone: '链接中的训练在这里已不存在。下面是一个现有的训练。',
    goneEmpty: '链接中的训练在这里已不存在。',
    loading: '正在查找开放的训练……',
    awayTitle: '无法连接协调器',
    awayText: '一旦它有回应，那里的训练会自动显示。',
  },
);

export function stateWord(status: RunSummary['status']): string {
  const t = text();
  const words: Record<RunSummary['status'], string> = {
    running: t.stateRunning,
    paused: t.statePaused,
    created: t.stateCreated,
    finished: t.stateFinished,
    stopped: t.stateStopped,
    failed: t.stateFailed,
  };
  return words[status];
}

/** Introduction to the chosen run: its task, its operator and its length; or advice where there is none. */
export function Arrival() {
  const run = chosen.value;
  if (run === null) return <NoRun />;
  return (
    <section class="sheet arrival stack" aria-labelledby="task-title">
      <Gone />
      <Head run={run} />
      <Invited run={run} />
      <OtherRuns />
    </section>
  );
}

function Head({ run }: { run: RunSummary }) {
  const t = text();
  const task = chosenTask.value;
  const deadline = plan.value.deadlineSeconds;
  return (
    <>
      <div class="stack tight">
        <p class="eyebrow">
          {away.value ? t.lastKnown(stateWord(run.status)) : stateWord(run.status)} ·{' '}
          <span class="run-id">{run.id}</span>
        </p>
        <h1 id="task-title">{localized(run.title)}</h1>
        {task !== null && <p class="lead">{localized(task.description)}</p>}
      </div>
      <dl class="facts">
        <div>
          <dt>{t.by}</dt>
          <dd>{session.operator.value ?? '–'}</dd>
        </div>
        <div>
          <dt>{t.progress}</dt>
          <dd>{t.rounds(run.round, run.rounds, run.rounds - run.round)}</dd>
        </div>
        {deadline !== undefined && (
          <div>
            <dt>{t.roundTakes}</dt>
            <dd>{t.atMost(formatDuration(deadline * 1000))}</dd>
          </div>
        )}
        {run.admission !== 'open' && (
          <div>
            <dt>{t.who}</dt>
            <dd data-testid="admission">{run.admission === 'invited' ? t.invited : t.listed}</dd>
          </div>
        )}
        {task !== null && (
          <div>
            <dt>{t.size}</dt>
            <dd>{t.parameters(n(task.parameters))}</dd>
          </div>
        )}
        {task?.licence !== undefined && (
          <div>
            <dt>{t.licence}</dt>
            <dd data-testid="licence">{task.licence}</dd>
          </div>
        )}
      </dl>
    </>
  );
}

/** Notice that an invitation is available, or advice where one is missing. */
function Invited({ run }: { run: RunSummary }) {
  const t = text();
  const kept = invitation.value.value;
  const now = stage.value;
  const other = kept === null ? undefined : session.runs.value.find(({ id }) => id === kept.run);
  if (other !== undefined && other.id !== run.id)
    return (
      <p class="note row">
        <span>{t.invitedElsewhere(localized(other.title))}</span>
        {now === 'in' || now === 'joining' ? (
          <span>{t.leaveToGo}</span>
        ) : (
          <button type="button" class="button small" onClick={() => void pick(other.id)}>
            {t.goThere}
          </button>
        )}
      </p>
    );
  if (now !== 'out' || run.admission === 'open') return null;
  if (kept !== null)
    return (
      <p class="note good" data-testid="invited">
        {t.youAreInvited}
      </p>
    );
  // The card that says so has the id already.
  const told = problem.value?.code === 'run-not-admitted' || session.error.value?.code === 'run-not-admitted';
  if (run.admission === 'invited' || told) return null;
  return (
    <div class="small stack tight">
      <p class="quiet">{t.askToBeListed}</p>
      <OwnId />
    </div>
  );
}

function Gone() {
  const link = linked.value;
  const t = text();
  const online = session.connection.value === 'online';
  if (link === null || !online || session.runs.value.some(({ id }) => id === link)) return null;
  return <p class="note warn">{chosen.value === null ? t.goneEmpty : t.gone}</p>;
}

/** Choice among several open runs. */
function OtherRuns() {
  const t = text();
  const run = chosen.value;
  const runs = open.value;
  if (run === null || (runs.length < 2 && runs[0]?.id === run.id) || runs.length === 0) return null;
  const inside = stage.value === 'in' || stage.value === 'joining';
  return (
    <details class="fold" open={stage.value === 'over'}>
      <summary>{t.others(runs.length)}</summary>
      <fieldset class="runs" disabled={inside} aria-label={t.others(runs.length)}>
        {runs.map((one) => (
          <label key={one.id} class="choice">
            <input type="radio" name="run" checked={one.id === run.id} onChange={() => void pick(one.id)} />
            <span>
              {localized(one.title)}{' '}
              <span class="small quiet">
                {stateWord(one.status)} · {n(one.round)}/{n(one.rounds)} ·{' '}
                <span class="run-id">{one.id}</span>
              </span>
            </span>
          </label>
        ))}
        {inside && <p class="small quiet">{t.leaveFirst}</p>}
      </fieldset>
    </details>
  );
}

function NoRun() {
  const t = text();
  const { value: connection } = session.connection;
  if (away.value) {
    return (
      <section class="sheet arrival stack" aria-labelledby="task-title">
        <h1 id="task-title">{t.awayTitle}</h1>
        <p class="lead">{t.awayText}</p>
      </section>
    );
  }
  return (
    <section class="sheet arrival stack" aria-labelledby="task-title">
      <Gone />
      <h1 id="task-title">{connection === 'connecting' ? t.loading : t.emptyTitle}</h1>
      {connection !== 'connecting' && (
        <>
          <p class="lead">{t.empty}</p>
          <p class="small quiet">
            {t.emptyOperator} <a href="/admin/">{t.admin}</a>
          </p>
        </>
      )}
    </section>
  );
}
