import {
  type Admission,
  movesBySteps,
  type Plan,
  type PlanFieldName,
  planFields,
  type StartOfRun,
  type TaskInfo,
} from '@coppice/protocol';
import { catalogue, formatBytes, formatNumber, localized } from '@coppice/ui';
import { useState } from 'preact/hooks';
import { curlCommand, requestBody, simulateCommand } from '../launch/command.ts';
import { estimate } from '../launch/estimate.ts';
import { differences, planFieldNames, taskDefaults } from '../launch/plan-form.ts';
import { oneOf, setting } from '../shell/settings.ts';
import { CopyButton } from './parts.tsx';
import { planValue } from './plan-table.tsx';
import { text as shared } from './texts.ts';

const text = catalogue(
  {
    title: 'This run',
    parameters: 'Model',
    asked: 'Asked each round',
    taken: (n: string) => `the first ${n} count`,
    round: 'Traffic a round',
    ways: (down: string, up: string) => `↓ ${down} ↑ ${up}`,
    all: 'In all',
    rounds: (n: string) => `${n} rounds`,
    each: 'One participant, a round',
    once: 'One participant, once',
    frozen: (n: string) => `${n} frozen parameters`,
    expectedHelp: 'Only for the figures below and the command; the run takes as many as come.',
    changed: 'Changed from the task’s own',
    nothing: 'Nothing: the plan is the task’s own.',
    problems: (n: string) => `${n} to correct:`,
    as: 'The same from a terminal',
    body: 'JSON',
    note: (down: string, up: string) => `Models travel as ${down}, updates as ${up}.`,
    noteSteps: (down: string, up: string) =>
      `Models travel by steps, as ${down}, the first one whole; updates as ${up}.`,
  },
  {
    title: '本次训练',
    parameters: '模型',
    asked: '每轮邀请',
    taken: (n) => `先到的 ${n} 份有效`,
    round: '每轮流量',
    ways: (down, up) => `↓ ${down} ↑ ${up}`,
    all: '合计',
    rounds: (n) => `${n} 轮`,
    each: '每人每轮',
    once: '每人一次',
    frozen: (n) => `${n} 个冻结参数`,
    expectedHelp: '仅用于下面的估算和命令，不限制参与人数。',
    changed: '与任务默认不同之处',
    nothing: '没有：计划即任务默认。',
    problems: (n) => `${n} 处需要修改：`,
    as: '在终端中做同样的事',
    body: 'JSON',
    note: (down, up) => `模型以 ${down} 传输，更新以 ${up} 传输。`,
    noteSteps: (down, up) => `模型以 ${down} 增量传输，首个完整传输；更新以 ${up} 传输。`,
  },
);

const EXPECTED = 10;
const form = setting('command', 'simulate', oneOf('simulate', 'curl', 'json'));

/** A command that never breaks within a flag; a value may stand on the line after its flag. */
function unbroken(command: string) {
  return command
    .split(' ')
    .flatMap((word, at) => [
      at === 0 ? '' : ' ',
      word.startsWith('-') ? <span class="unbroken">{word}</span> : word,
    ]);
}

/** Summary before a launch: the traffic, the changed fields, and the equivalent command. */
export function LaunchSummary({
  task,
  plan,
  admission,
  from,
  problems,
  busy,
}: {
  task: TaskInfo;
  plan: Plan | null;
  admission: Admission;
  from: StartOfRun | null;
  problems: readonly PlanFieldName[];
  busy: boolean;
}) {
  const t = text();
  const words = shared();
  const [expected, setExpected] = useState(EXPECTED);
  return (
    <aside class="launch-summary stack" aria-label={t.title}>
      <h2>{localized(task.title)}</h2>
      <div class="field">
        <label for="expected">{words.expected}</label>
        <input
          id="expected"
          class="input"
          aria-describedby="expected-help"
          inputMode="numeric"
          value={expected}
          onInput={(event) => setExpected(Math.max(1, Math.floor(Number(event.currentTarget.value)) || 1))}
        />
        <p class="help" id="expected-help">
          {t.expectedHelp}
        </p>
      </div>
      {plan === null ? (
        <div class="note bad">
          <p>{t.problems(formatNumber(problems.length))}</p>
          <ul class="plain-list">
            {problems.map((name) => (
              <li key={name}>
                <button
                  type="button"
                  class="sort"
                  onClick={() => document.getElementById(`plan-${name}`)?.focus()}
                >
                  {localized(planFields[name].label)}
                </button>
              </li>
            ))}
          </ul>
        </div>
      ) : (
        <>
          <Traffic plan={plan} task={task} expected={expected} />
          <Changes plan={plan} task={task} />
        </>
      )}
      <button
        type="submit"
        class="button primary large"
        data-testid="create-run"
        disabled={plan === null || busy}
      >
        {busy ? words.creating : words.create}
      </button>
      {plan !== null && (
        <Command task={task} plan={plan} admission={admission} from={from} expected={expected} />
      )}
    </aside>
  );
}

function Traffic({ plan, task, expected }: { plan: Plan; task: TaskInfo; expected: number }) {
  const t = text();
  const found = estimate(plan, task, expected);
  const facts = [
    [
      t.parameters,
      shared().parameters(formatNumber(task.parameters)),
      t.ways(formatBytes(found.model), formatBytes(found.update)),
    ],
    [t.asked, formatNumber(found.asked), t.taken(formatNumber(found.taken))],
    [t.round, formatBytes(found.perRound), t.ways(formatBytes(found.down), formatBytes(found.up))],
    [t.all, formatBytes(found.inAll), t.rounds(formatNumber(plan.rounds))],
    [t.each, formatBytes(found.perParticipant), ''],
    ...(task.frozen === 0 ? [] : [[t.once, formatBytes(found.once), t.frozen(formatNumber(task.frozen))]]),
  ];
  return (
    <div>
      <dl class="facts" aria-live="polite" data-testid="estimate">
        {facts.map(([name, value, more]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {value} <span class="small quiet">{more}</span>
            </dd>
          </div>
        ))}
      </dl>
      <p class="small quiet">
        {(movesBySteps(plan) ? t.noteSteps : t.note)(plan.downloadCodec, plan.uploadCodec)}
      </p>
    </div>
  );
}

function Changes({ plan, task }: { plan: Plan; task: TaskInfo }) {
  const t = text();
  const usual = taskDefaults(task.plan, plan.strategy);
  const changed = differences(plan, usual);
  const names = planFieldNames.filter((name) => name in changed);
  return (
    <div>
      <h3 class="eyebrow">{t.changed}</h3>
      {names.length === 0 && <p class="small quiet">{t.nothing}</p>}
      <dl class="facts">
        {names.map((name) => (
          <div key={name}>
            <dt>{localized(planFields[name].label)}</dt>
            <dd>
              {planValue(name, plan[name] ?? null)}{' '}
              <span class="small quiet">← {planValue(name, usual[name] ?? null)}</span>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Command({
  task,
  plan,
  admission,
  from,
  expected,
}: {
  task: TaskInfo;
  plan: Plan;
  admission: Admission;
  from: StartOfRun | null;
  expected: number;
}) {
  const t = text();
  const body = requestBody(task.id, plan, { defaults: task.plan, admission, from });
  const shown = {
    simulate: simulateCommand(task.id, plan, {
      defaults: task.plan,
      clients: expected,
      invited: admission !== 'open',
      ownAt: task.builtIn ? null : location.origin,
      start: from === null ? null : { origin: location.origin, from },
    }),
    curl: curlCommand(location.origin, body),
    json: JSON.stringify(body, null, 2),
  }[form.value];
  return (
    <div class="stack tight">
      <div class="row between">
        <label class="row tight-row small">
          {t.as}
          <select
            class="input narrow"
            value={form.value}
            onChange={(event) => {
              form.value = event.currentTarget.value as typeof form.value;
            }}
          >
            <option value="simulate">pnpm simulate</option>
            <option value="curl">curl</option>
            <option value="json">{t.body}</option>
          </select>
        </label>
        <CopyButton value={shown} />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard. */}
      <pre class="command" tabIndex={0} data-testid="command">
        <code>{form.value === 'simulate' ? unbroken(shown) : shown}</code>
      </pre>
    </div>
  );
}
