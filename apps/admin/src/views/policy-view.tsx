import { CoppiceError, type PolicyInfo, type TaskInfo } from '@coppice/protocol';
import { Confirm, formatDateTime, formatNumber, localized } from '@coppice/ui';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import {
  chooseStrategy,
  differences,
  formSections,
  type PlanTexts,
  readPlan,
  taskDefaults,
  textsOf,
} from '../launch/plan-form.ts';
import { fetchPolicy, putPolicy } from '../live/continuity-api.ts';
import { may } from '../live/live.ts';
import { useTask } from '../live/use-task.ts';
import {
  type FieldName,
  type FieldProblem,
  fieldNamed,
  formOf,
  type NumberName,
  type PeriodUnit,
  type PolicyForm,
  periodUnits,
  readForm,
  type SwitchName,
  storedPolicy,
} from '../monitoring/policy-form.ts';
import { writeRoute } from '../shell/route.ts';
import { act } from './act.ts';
import { FailureSaid } from './parts.tsx';
import { PlanInput } from './plan-input.tsx';
import { type FormState, PolicyInput, PolicyInputs } from './policy-input.tsx';
import { policyText, unitWords } from './policy-texts.ts';

/** View of the policy by which a task is monitored and updated. */
export function PolicyView({ id }: { id: string }) {
  const t = policyText();
  const task = useTask(id);
  const [info, setInfo] = useState<PolicyInfo | null>(null);
  useEffect(() => {
    void act(() => fetchPolicy(id)).then((found) => found !== undefined && setInfo(found));
  }, [id]);
  const isKnown = info !== null && (info.policy === null || storedPolicy(info.policy) !== null);
  return (
    <section class="stack">
      <p class="eyebrow">
        <a href={writeRoute({ view: 'monitoring', task: id, period: null })}>{t.back}</a> ·{' '}
        <span class="run-id">{id}</span>
      </p>
      <h1>
        {t.title}: {task === null ? id : localized(task.title)}
      </h1>
      <p class="lead">{t.lead}</p>
      {info === null || task === null ? (
        <p class="quiet">{t.loading}</p>
      ) : isKnown ? (
        // A form of its own for each version that is loaded; one that is saved stays as it is.
        <LoadedForm task={task} loaded={info} onLoad={setInfo} />
      ) : (
        <p class="note warn">{t.newerVersion}</p>
      )}
    </section>
  );
}

function LoadedForm(props: { task: TaskInfo; loaded: PolicyInfo; onLoad: (info: PolicyInfo) => void }) {
  const [count, setCount] = useState(0);
  return (
    <Form
      key={count}
      {...props}
      onLoad={(info) => {
        props.onLoad(info);
        setCount(count + 1);
      }}
    />
  );
}

/** A refusal of the coordinator, with the field that it names. */
interface Refusal {
  readonly error: CoppiceError;
  readonly field: FieldName | null;
}

function Form({
  task,
  loaded,
  onLoad,
}: {
  task: TaskInfo;
  loaded: PolicyInfo;
  onLoad: (info: PolicyInfo) => void;
}) {
  const t = policyText();
  const stored = storedPolicy(loaded.policy);
  /** The version that holds as far as this page knows: the next one is saved on top of it. */
  const [known, setKnown] = useState(loaded);
  const [form, setForm] = useState<PolicyForm>(() => formOf(stored));
  const [plan, setPlan] = useState<PlanTexts>(() => textsOf({ ...task.plan, ...stored?.plan }));
  const [conflict, setConflict] = useState<PolicyInfo | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [saved, setSaved] = useState(false);
  const [busy, setBusy] = useState(false);
  const [stopping, setStopping] = useState(false);
  const planRead = readPlan(plan);
  const changed = planRead.plan === null ? {} : differences(planRead.plan, task.plan);
  const read = readForm(form, changed, planRead.plan?.rounds ?? Number(task.plan['rounds']));
  const problems = withRefusal(read.problems, refusal);
  const isFixed = !may('releases:write');
  const count = problems.size + (form.on.watch ? planRead.problems.size : 0);
  const edit = (next: PolicyForm) => {
    setForm(next);
    setRefusal(null);
    setSaved(false);
  };
  const state: FormState = { form, problems, onChange: edit, isFixed };

  const save = async (expected: number | null) => {
    setBusy(true);
    setRefusal(null);
    setConflict(null);
    try {
      setKnown(await putPolicy(task.id, { expected, policy: read.policy }));
      setSaved(true);
    } catch (thrown) {
      const error = CoppiceError.from(thrown);
      const now = await fetchPolicy(task.id).catch(() => null);
      if (now !== null && now.version !== expected) setConflict(now);
      else setRefusal({ error, field: fieldNamed(error.message) });
    }
    setBusy(false);
  };
  const submit = () => {
    if (read.problems.size > 0 || (form.on.watch && planRead.plan === null)) {
      document.querySelector<HTMLElement>('.policy-form [aria-invalid="true"]')?.focus();
      return;
    }
    if (!form.on.watch && known.policy !== null) setStopping(true);
    else void save(known.version);
  };
  return (
    <form
      class="stack policy-form"
      noValidate
      data-testid="policy-form"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <p class="small quiet" data-testid="policy-version">
        {known.version === null
          ? t.noVersion
          : t.version(
              formatNumber(known.version),
              formatDateTime(known.at ?? 0),
              known.by?.name || t.unnamed,
            )}
      </p>
      <Switch name="watch" label={t.watch} help={form.on.watch ? t.watchHelp : t.offHelp} state={state} />
      {form.on.watch && (
        <>
          <Monitoring state={state} />
          <Part
            name="privacy"
            title={t.privacyTitle}
            label={t.privacy}
            help={form.on.privacy ? t.privacyHelp : t.privacyOff}
            names={['privacy.rho', 'privacy.epsilon', 'privacy.delta']}
            state={state}
          />
          <Trigger state={state} />
          <Switch name="sinceAlarm" label={t.sinceAlarm} help={t.sinceAlarmHelp} state={state} />
          <PlanPart
            task={task}
            texts={plan}
            changes={Object.keys(changed).length}
            isFixed={isFixed}
            onChange={(next) => {
              setPlan(next);
              setRefusal(null);
              setSaved(false);
            }}
          />
          <Part
            name="gate"
            title={t.gateTitle}
            label={t.gate}
            help={form.on.gate ? (form.on['gate.older'] ? t.gateHelp : t.gateHelpRecent) : t.gateOff}
            names={['gate.alpha', 'gate.older', 'gate.worst', 'gate.fewest']}
            state={state}
          >
            {form.on.gate && <Switch name="gate.older" label={t.older} help={t.olderHelp} state={state} />}
          </Part>
          <Part
            name="canary"
            title={t.canaryTitle}
            label={t.canary}
            help={form.on.canary ? t.canaryHelp : t.canaryOff}
            names={[
              'canary.share',
              'canary.participants',
              'canary.periods',
              'canary.margin',
              'canary.alpha',
              'canary.silence',
            ]}
            state={state}
          />
        </>
      )}
      {conflict !== null && (
        <div class="note warn stack tight" role="alert" data-testid="policy-conflict">
          <p>
            {t.conflict(
              formatNumber(conflict.version ?? 0),
              formatDateTime(conflict.at ?? 0),
              conflict.by?.name || t.unnamed,
            )}
          </p>
          <div class="row">
            <button type="button" class="button" data-testid="policy-load" onClick={() => onLoad(conflict)}>
              {t.load}
            </button>
            <button
              type="button"
              class="button"
              data-testid="policy-replace"
              onClick={() => void save(conflict.version)}
            >
              {t.replace}
            </button>
          </div>
        </div>
      )}
      {refusal !== null && (
        <p class="note bad" role="alert" data-testid="policy-refused">
          <FailureSaid error={refusal.error} />
        </p>
      )}
      {!isFixed && (
        <div class="row">
          <button type="submit" class="button primary" data-testid="policy-save" disabled={busy}>
            {busy ? t.saving : t.save}
          </button>
          <span class="small" role="status" data-testid="policy-status">
            {count > 0
              ? t.fix(count)
              : saved && known.version !== null
                ? t.saved(formatNumber(known.version))
                : ''}
          </span>
        </div>
      )}
      <Confirm
        open={stopping}
        title={t.stopTitle}
        action={t.stop}
        danger
        onConfirm={() => {
          setStopping(false);
          void save(known.version);
        }}
        onCancel={() => setStopping(false)}
      >
        <p>{t.stopText}</p>
      </Confirm>
    </form>
  );
}

/** The form's own problems, and the coordinator's refusal at the field that it names. */
function withRefusal(
  problems: ReadonlyMap<FieldName, FieldProblem>,
  refusal: Refusal | null,
): ReadonlyMap<FieldName, FieldProblem> {
  if (refusal?.field == null || problems.has(refusal.field)) return problems;
  return new Map([...problems, [refusal.field, { kind: 'said', why: refusal.error.message }]]);
}

function Monitoring({ state }: { state: FormState }) {
  const t = policyText();
  const { form, onChange, isFixed } = state;
  return (
    <fieldset class="plan-group stack">
      <legend>{t.monitoring}</legend>
      <div class="plan-grid">
        <PolicyInput
          name="period"
          value={form.numbers.period}
          state={state}
          onInput={(text) => onChange({ ...form, numbers: { ...form.numbers, period: text } })}
          beside={
            <select
              class="input narrow-select"
              aria-label={t.unit}
              data-testid="policy-unit"
              disabled={isFixed}
              value={form.unit}
              onChange={(event) => onChange({ ...form, unit: event.currentTarget.value as PeriodUnit })}
            >
              {(Object.keys(periodUnits) as PeriodUnit[]).map((unit) => (
                <option key={unit} value={unit}>
                  {unitWords()[unit]}
                </option>
              ))}
            </select>
          }
        />
      </div>
      <PolicyInputs
        names={['watch.threshold', 'watch.every', 'watch.fewest', 'watch.minimum']}
        state={state}
      />
    </fieldset>
  );
}

function Part({
  name,
  title,
  label,
  help,
  names,
  state,
  children,
}: {
  name: SwitchName;
  title: string;
  label: string;
  help: string;
  names: readonly NumberName[];
  state: FormState;
  /** Further switches of the part. */
  children?: ComponentChildren;
}) {
  return (
    <fieldset class="plan-group stack">
      <legend>{title}</legend>
      <Switch name={name} label={label} help={help} state={state} />
      {children}
      <PolicyInputs names={names} state={state} />
    </fieldset>
  );
}

function Trigger({ state }: { state: FormState }) {
  const t = policyText();
  const { form, onChange, problems } = state;
  return (
    <fieldset class="plan-group stack">
      <legend>{t.triggerTitle}</legend>
      <Switch
        name="trigger"
        label={t.trigger}
        help={form.on.trigger ? t.triggerHelp : t.triggerOff}
        state={state}
      />
      {form.on.trigger && (
        <>
          <fieldset class="bare stack">
            <legend class="eyebrow">{t.causes}</legend>
            {problems.get('trigger.drift.raise')?.kind === 'no-cause' && (
              <p class="problem" role="alert">
                {t.noCause}
              </p>
            )}
            <Switch name="trigger.drift" label={t.drift} state={state} />
            <PolicyInputs names={['trigger.drift.raise', 'trigger.drift.clear']} state={state} />
            <Switch name="trigger.floor" label={t.floor} state={state} />
            <PolicyInputs names={['trigger.floor.error', 'trigger.floor.raise']} state={state} />
            <div class="plan-grid">
              <PolicyInput
                name="trigger.schedule"
                value={form.schedule}
                state={state}
                onInput={(schedule) => onChange({ ...form, schedule })}
              />
            </div>
            <PolicyInputs names={['trigger.newExamples']} state={state} />
          </fieldset>
          <fieldset class="bare stack">
            <legend class="eyebrow">{t.limits}</legend>
            <PolicyInputs
              names={[
                'trigger.coolDown',
                'trigger.stall',
                'trigger.budget.periods',
                'trigger.budget.rounds',
                'trigger.budget.bytes',
                'trigger.budget.deviceSeconds',
                'trigger.budget.epsilon',
              ]}
              state={state}
            />
          </fieldset>
        </>
      )}
    </fieldset>
  );
}

function Switch({
  name,
  label,
  help,
  state: { form, onChange, isFixed },
}: {
  name: SwitchName;
  label: string;
  help?: string;
  state: FormState;
}) {
  return (
    <label class="choice admission-option">
      <input
        type="checkbox"
        data-testid={`policy-on-${name.replaceAll('.', '-')}`}
        disabled={isFixed}
        checked={form.on[name]}
        onChange={(event) => onChange({ ...form, on: { ...form.on, [name]: event.currentTarget.checked } })}
      />
      <span>
        <strong>{label}</strong>
        {help !== undefined && <span class="block small quiet">{help}</span>}
      </span>
    </label>
  );
}

/** The fields of the plan by which runs of updates train: the task's, where they are not changed here. */
function PlanPart({
  task,
  texts,
  changes,
  isFixed,
  onChange,
}: {
  task: TaskInfo;
  texts: PlanTexts;
  changes: number;
  isFixed: boolean;
  onChange: (texts: PlanTexts) => void;
}) {
  const t = policyText();
  const { problems } = readPlan(texts);
  const usual = taskDefaults(task.plan, texts.strategy);
  const [open, setOpen] = useState(false);
  return (
    <details
      class="plan-group"
      open={open || problems.size > 0}
      onToggle={(event) => setOpen(event.currentTarget.open)}
      data-testid="policy-plan"
    >
      <summary>
        <strong>{t.plan}</strong> <span class="small quiet">{t.planHelp(changes)}</span>
      </summary>
      {(open || problems.size > 0) && (
        <fieldset class="bare stack" disabled={isFixed}>
          <legend class="visually-hidden">{t.plan}</legend>
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
                      onChange(
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
        </fieldset>
      )}
    </details>
  );
}
