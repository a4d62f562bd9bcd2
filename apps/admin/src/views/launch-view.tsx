import { type PlanFieldName, planFields, type TaskInfo } from '@coppice/protocol';
import { formatBytes, formatNumber, localized } from '@coppice/ui';
import { useEffect, useState } from 'preact/hooks';
import { requestBody, simulateCommand } from '../launch/command.ts';
import { estimate } from '../launch/estimate.ts';
import {
  type PlanProblem,
  type PlanTexts,
  planFieldNames,
  planGroups,
  readPlan,
  textsOf,
} from '../launch/plan-form.ts';
import { presets } from '../launch/presets.ts';
import { createRun, fetchTasks } from '../live/api.ts';
import { state } from '../live/live.ts';
import { amend, go } from '../shell/route.ts';
import { groupWords } from '../words.ts';
import { act } from './act.ts';
import { CopyButton } from './parts.tsx';
import { text } from './texts.ts';

const EXPECTED = 10;

export function LaunchView({ task: chosen, from }: { task: string | null; from: string | null }) {
  const t = text();
  const [tasks, setTasks] = useState<readonly TaskInfo[]>([]);
  useEffect(() => void act(fetchTasks).then((list) => setTasks(list ?? [])), []);
  const task = tasks.find(({ id }) => id === chosen);
  return (
    <section class="stack">
      <h1>{t.launch}</h1>
      <h2>{t.chooseTask}</h2>
      <div class="cards">
        {tasks.map((one) => (
          <button
            key={one.id}
            type="button"
            class="card task-card"
            data-testid={`task-${one.id}`}
            aria-pressed={one.id === chosen}
            onClick={() => amend({ view: 'launch', task: one.id, from: null })}
          >
            <strong>{localized(one.title)}</strong>
            <span class="small">{localized(one.description)}</span>
            <span class="small quiet">
              {t.parameters(formatNumber(one.parameters))} · {one.samples ? t.sampleData : t.ownData}
            </span>
          </button>
        ))}
      </div>
      {task !== undefined && <PlanForm key={`${task.id}/${from}`} task={task} from={from} />}
    </section>
  );
}

function PlanForm({ task, from }: { task: TaskInfo; from: string | null }) {
  const t = text();
  const like = from === null ? undefined : state.peek().runs.get(from)?.plan;
  const [texts, setTexts] = useState<PlanTexts>(() => textsOf({ ...task.plan, ...like }));
  const [preset, setPreset] = useState('default');
  const [expected, setExpected] = useState(EXPECTED);
  const [busy, setBusy] = useState(false);
  const { plan, problems } = readPlan(texts);
  const launch = async () => {
    if (plan === null) return;
    setBusy(true);
    const run = await act(() => createRun(requestBody(task.id, plan, task.plan)));
    setBusy(false);
    if (run !== undefined) go({ view: 'run', run: run.id });
  };
  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void launch();
      }}
    >
      <h2>{t.planTitle}</h2>
      <div class="plan-grid">
        <div class="field">
          <label for="preset">{t.preset}</label>
          <select
            id="preset"
            class="input"
            value={preset}
            onChange={(event) => {
              const next = presets.find(({ id }) => id === event.currentTarget.value);
              if (next === undefined) return;
              setPreset(next.id);
              setTexts(textsOf({ ...task.plan, ...next.plan }));
            }}
          >
            {presets.map(({ id, title }) => (
              <option key={id} value={id}>
                {localized(title)}
              </option>
            ))}
          </select>
          <p class="help">{localized(presets.find(({ id }) => id === preset)?.help ?? { en: '' })}</p>
        </div>
      </div>
      {planGroups.map((group) => (
        <fieldset key={group} class="plan-group">
          <legend>{groupWords()[group]}</legend>
          <div class="plan-grid">
            {planFieldNames
              .filter((name) => planFields[name].group === group)
              .map((name) => (
                <PlanInput
                  key={name}
                  name={name}
                  value={texts[name]}
                  fallback={task.plan[name] ?? null}
                  problem={problems.get(name)}
                  onInput={(value) => setTexts({ ...texts, [name]: value })}
                />
              ))}
          </div>
        </fieldset>
      ))}
      <section class="note stack tight" aria-live="polite">
        <h3>{t.estimateTitle}</h3>
        <label class="row small">
          {t.expected}
          <input
            class="input narrow"
            type="number"
            min={1}
            value={expected}
            onInput={(event) => setExpected(Math.max(1, Number(event.currentTarget.value) || 1))}
          />
        </label>
        {plan === null ? <p>{t.fix}</p> : <EstimateText {...estimate(plan, task.parameters, expected)} />}
      </section>
      <div class="row">
        <button
          type="submit"
          class="button primary"
          data-testid="create-run"
          disabled={plan === null || busy}
        >
          {busy ? t.creating : t.create}
        </button>
        {plan !== null && (
          <CopyButton
            label={t.copyCli}
            value={simulateCommand(task.id, plan, { defaults: task.plan, clients: expected }).command}
          />
        )}
        {plan !== null && (
          <CopyButton label={t.copyJson} value={JSON.stringify(requestBody(task.id, plan, task.plan))} />
        )}
      </div>
    </form>
  );
}

function EstimateText({ asked, perRound, inAll, perParticipant }: ReturnType<typeof estimate>) {
  return (
    <p>
      {text().estimateText(
        formatNumber(asked),
        formatBytes(perRound),
        formatBytes(inAll),
        formatBytes(perParticipant),
      )}
    </p>
  );
}

interface PlanInputProps {
  readonly name: PlanFieldName;
  readonly value: string;
  readonly fallback: string | number | null;
  readonly problem: PlanProblem | undefined;
  readonly onInput: (value: string) => void;
}

function PlanInput({ name, value, fallback, problem, onInput }: PlanInputProps) {
  const t = text();
  const { label, help, input, unit } = planFields[name] as (typeof planFields)[PlanFieldName] & {
    unit?: { en: string; zh?: string };
  };
  const id = `plan-${name}`;
  const shared = {
    id,
    class: 'input',
    'data-testid': id,
    'aria-describedby': `${id}-help`,
    'aria-invalid': problem !== undefined,
    value,
  };
  return (
    <div class="field">
      <label for={id}>
        {localized(label)}
        {unit !== undefined && <span class="quiet"> ({localized(unit)})</span>}
      </label>
      {input.kind === 'choice' ? (
        <select {...shared} onChange={(event) => onInput(event.currentTarget.value)}>
          {input.options.map((option) => (
            <option key={option.value} value={option.value}>
              {localized(option.label)}
            </option>
          ))}
        </select>
      ) : (
        <input {...shared} inputMode="decimal" onInput={(event) => onInput(event.currentTarget.value)} />
      )}
      <p class="help" id={`${id}-help`}>
        {problem !== undefined && <span class="problem">{problemText(problem)} </span>}
        {localized(help)} {t.defaultIs(fallback === null ? t.notSet : String(fallback))}
      </p>
    </div>
  );
}

function problemText(problem: PlanProblem): string {
  const t = text();
  switch (problem.kind) {
    case 'missing':
      return t.missing;
    case 'not-a-number':
      return t.notNumber;
    case 'not-whole':
      return t.notWhole;
    case 'range':
      return t.range(formatNumber(problem.min, { maximumSignificantDigits: 9 }), formatNumber(problem.max));
  }
}
