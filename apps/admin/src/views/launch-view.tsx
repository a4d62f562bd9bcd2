import type { Admission, Plan, StartOfRun, TaskInfo } from '@coppice/protocol';
import { catalogue, formatNumber, localized } from '@coppice/ui';
import { useEffect, useState } from 'preact/hooks';
import { requestBody } from '../launch/command.ts';
import {
  chooseStrategy,
  formSections,
  type PlanTexts,
  readPlan,
  taskDefaults,
  textsOf,
} from '../launch/plan-form.ts';
import { type Preset, presets } from '../launch/presets.ts';
import { createRun, fetchTasks } from '../live/api.ts';
import { learn, state } from '../live/live.ts';
import { amend, go, writeRoute } from '../shell/route.ts';
import { act } from './act.ts';
import { AdmissionOptions } from './admission.tsx';
import { admissionText } from './admission-texts.ts';
import { LaunchSummary } from './launch-summary.tsx';
import { PlanInput } from './plan-input.tsx';
import { StartingPoint } from './starting-point.tsx';
import { TaskData } from './task-data.tsx';
import { text as shared } from './texts.ts';

const text = catalogue(
  {
    taken: (run: string) => `The plan is taken over from ${run}.`,
    own: 'your own task',
    choose: 'Choose a task above; its plan appears here, filled in.',
    loading: 'The tasks are being fetched.',
    newTask: 'Or describe a task of your own',
  },
  {
    taken: (run) => `计划沿用自 ${run}。`,
    own: '自定义任务',
    choose: '请先选择任务；已填好的计划会出现在这里。',
    loading: '正在获取任务。',
    newTask: '或者定义自己的任务',
  },
);

/** View to choose a task, adjust its plan and launch a run. */
export function LaunchView({ task: chosen, from }: { task: string | null; from: string | null }) {
  const t = text();
  const words = shared();
  const [tasks, setTasks] = useState<readonly TaskInfo[] | null>(null);
  useEffect(() => void act(fetchTasks).then((list) => setTasks(list ?? [])), []);
  const task = tasks?.find(({ id }) => id === chosen);
  return (
    <section class="stack">
      <h1>{words.launch}</h1>
      <h2>{words.chooseTask}</h2>
      {tasks === null && <p class="quiet">{t.loading}</p>}
      <div class="cards">
        {tasks?.map((one) => (
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
            <span class="small quiet figure">
              {words.parameters(formatNumber(one.parameters))} ·{' '}
              {one.samples ? words.sampleData : words.ownData}
              {one.builtIn ? '' : ` · ${t.own}`}
            </span>
          </button>
        ))}
      </div>
      <p class="small">
        <a href={writeRoute({ view: 'new-task' })}>{t.newTask}</a>
      </p>
      {task === undefined ? (
        tasks !== null && <p class="quiet">{t.choose}</p>
      ) : (
        <PlanForm key={`${task.id}/${from}`} task={task} from={from} />
      )}
    </section>
  );
}

function PlanForm({ task, from }: { task: TaskInfo; from: string | null }) {
  const words = shared();
  const like = from === null ? undefined : state.peek().runs.get(from)?.plan;
  const [texts, setTexts] = useState<PlanTexts>(() => textsOf({ ...task.plan, ...like }));
  const [preset, setPreset] = useState<Preset | null>(like === undefined ? (presets[0] ?? null) : null);
  const [admission, setAdmission] = useState<Admission>(
    () => (from === null ? undefined : state.peek().runs.get(from)?.admission) ?? 'open',
  );
  const [origin, setOrigin] = useState<StartOfRun | null>(null);
  const [busy, setBusy] = useState(false);
  const { plan, problems } = readPlan(texts);
  const usual = taskDefaults(task.plan, texts.strategy);
  const launch = async (ready: Plan) => {
    setBusy(true);
    const run = await act(() =>
      createRun(requestBody(task.id, ready, { defaults: task.plan, admission, from: origin })),
    );
    setBusy(false);
    if (run === undefined) return;
    learn(run);
    go({ view: 'run', run: run.id });
  };
  return (
    <form
      class="launch-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (plan !== null) void launch(plan);
      }}
    >
      <div class="stack plan-fields">
        <TaskData data={task.data} />
        <fieldset class="bare stack">
          <legend class="visually-hidden">{admissionText().title}</legend>
          <h2>{admissionText().title}</h2>
          <AdmissionOptions value={admission} onChange={setAdmission} />
        </fieldset>
        <StartingPoint task={task} value={origin} onChange={setOrigin} />
        <h2>{words.planTitle}</h2>
        {like !== undefined && from !== null && <p class="note good">{text().taken(from)}</p>}
        <Presets
          chosen={preset}
          onChoose={(next) => {
            setPreset(next);
            setTexts(textsOf({ ...task.plan, ...next.plan }));
          }}
        />
        {formSections(texts.strategy).map(({ id, title, names }) => (
          <fieldset key={id} class="plan-group">
            <legend>{localized(title)}</legend>
            <div class="plan-grid">
              {names.map((name) => (
                <PlanInput
                  key={name}
                  name={name}
                  strategy={texts.strategy}
                  value={texts[name]}
                  fallback={usual[name] ?? null}
                  problem={problems.get(name)}
                  onInput={(value) =>
                    setTexts(
                      name === 'strategy'
                        ? chooseStrategy(texts, value, task.plan)
                        : { ...texts, [name]: value },
                    )
                  }
                />
              ))}
            </div>
          </fieldset>
        ))}
      </div>
      <LaunchSummary
        task={task}
        plan={plan}
        admission={admission}
        from={origin}
        problems={[...problems.keys()]}
        busy={busy}
      />
    </form>
  );
}

function Presets({ chosen, onChoose }: { chosen: Preset | null; onChoose: (preset: Preset) => void }) {
  return (
    <fieldset class="presets">
      <legend class="eyebrow">{shared().preset}</legend>
      <div class="row tight-row">
        {presets.map((preset) => (
          <button
            key={preset.id}
            type="button"
            class="button small preset"
            data-testid={`preset-${preset.id}`}
            aria-pressed={preset === chosen}
            onClick={() => onChoose(preset)}
          >
            {localized(preset.title)}
          </button>
        ))}
      </div>
      <p class="small quiet" aria-live="polite">
        {chosen === null ? '' : localized(chosen.help)}
      </p>
    </fieldset>
  );
}
