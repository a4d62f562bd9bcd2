import { CoppiceError, type CreatedTask } from '@coppice/protocol';
import { catalogue, formatNumber, localized } from '@coppice/ui';
import { useRef, useState } from 'preact/hooks';
import { createTask, sendWeights } from '../live/api.ts';
import { go } from '../shell/route.ts';
import { exampleTask } from './example-task.ts';
import { type ChosenModel, ModelFields } from './model-fields.tsx';
import { FailureSaid } from './parts.tsx';
import { blankTask, missingFields, type TaskFields, taskRequest } from './task-request.ts';
import { text } from './texts.ts';

const own = catalogue(
  { missing: (names: string) => `Still empty: ${names}.`, join: ', ' },
  { missing: (names) => `尚未填写：${names}。`, join: '、' },
);

/** View to describe a task of one's own: names, data, model. */
export function TaskView() {
  const t = text();
  const [fields, setFields] = useState(blankTask);
  const [error, setError] = useState<CoppiceError | null>(null);
  const [busy, setBusy] = useState(false);
  const [created, setCreated] = useState<CreatedTask | null>(null);
  const [modelError, setModelError] = useState<CoppiceError | null>(null);
  const [chosen, setChosen] = useState<ChosenModel | null>(null);
  const [sent, setSent] = useState<number | null>(null);
  /** The weights that were sent last, and their name there: where only another field was wrong, they are not sent again. */
  const sentAs = useRef<{ weights: Uint8Array; hash: string } | null>(null);
  const sendOnce = async (weights: Uint8Array<ArrayBuffer>): Promise<string> => {
    if (sentAs.current?.weights !== weights) {
      setSent(0);
      sentAs.current = { weights, hash: (await sendWeights(weights, setSent)).hash };
    }
    return sentAs.current.hash;
  };
  const set = (change: Partial<TaskFields>) => setFields((now) => ({ ...now, ...change }));
  const choose = (found: ChosenModel | null) => {
    setChosen(found);
    setModelError(null);
    // The description can be changed by hand, as to freeze a layer; one that only gives other weights leaves it.
    if (found !== null && found.topology !== chosen?.topology) set({ model: JSON.stringify(found.topology) });
  };
  const labels: Partial<Record<keyof TaskFields, string>> = {
    id: t.id,
    titleEn: t.titleEn,
    descriptionEn: t.descriptionEn,
    width: t.width,
    height: t.height,
    classes: t.classes,
    features: t.features,
    target: t.target,
    heldOut: t.heldOut,
    model: t.modelJson,
  };
  const submit = async () => {
    const missing = missingFields(fields);
    if (missing.length > 0) {
      const names = missing.map((name) => labels[name] ?? name).join(own().join);
      setError(new CoppiceError('task-invalid', own().missing(names)));
      document.getElementById(`task-field-${missing[0]}`)?.focus();
      return;
    }
    setBusy(true);
    setError(null);
    setModelError(null);
    try {
      const request = taskRequest(fields);
      const { weights = null, isGiven = false } = chosen ?? {};
      const given = weights !== null && isGiven ? await sendOnce(weights) : null;
      const task = await createTask(given === null ? request : { ...request, weights: given });
      if (task.warnings.length === 0) go({ view: 'launch', task: task.id, from: null });
      else setCreated(task);
    } catch (thrown) {
      const found = CoppiceError.from(thrown);
      const ofModel = found.code === 'model-invalid' || found.code === 'weights-invalid';
      if (found.code === 'weights-invalid') sentAs.current = null;
      (ofModel ? setModelError : setError)(found);
    }
    setSent(null);
    setBusy(false);
  };
  const propose = async (file: File) => {
    setError(null);
    try {
      const { proposedFields } = await import('./proposed-fields.ts');
      set(await proposedFields(file, fields.target));
    } catch (thrown) {
      setError(CoppiceError.from(thrown));
    }
  };
  if (created !== null) return <Warned task={created} />;
  const input = (
    name: keyof TaskFields,
    label: string,
    { help, area = false, mono = false }: { help?: string; area?: boolean; mono?: boolean } = {},
  ) => {
    const shared = {
      id: `task-field-${name}`,
      class: `input ${mono ? 'mono' : ''}`,
      'data-testid': name === 'model' ? 'task-json' : `task-field-${name}`,
      'aria-describedby': help === undefined ? undefined : `task-help-${name}`,
      value: fields[name],
    };
    return (
      <div class="field">
        <label for={shared.id}>{label}</label>
        {area ? (
          <textarea
            {...shared}
            rows={name === 'model' ? 8 : 4}
            onInput={(event) => set({ [name]: event.currentTarget.value })}
          />
        ) : (
          <input {...shared} onInput={(event) => set({ [name]: event.currentTarget.value })} />
        )}
        {help !== undefined && (
          <p class="help" id={`task-help-${name}`}>
            {help}
          </p>
        )}
      </div>
    );
  };
  const select = (name: keyof TaskFields, label: string, options: Record<string, string>, help?: string) => (
    <div class="field">
      <label for={`task-field-${name}`}>{label}</label>
      <select
        id={`task-field-${name}`}
        class="input"
        data-testid={`task-field-${name}`}
        aria-describedby={help === undefined ? undefined : `task-help-${name}`}
        value={fields[name]}
        onChange={(event) => set({ [name]: event.currentTarget.value })}
      >
        {Object.entries(options).map(([value, shown]) => (
          <option key={value} value={value}>
            {shown}
          </option>
        ))}
      </select>
      {help !== undefined && (
        <p class="help" id={`task-help-${name}`}>
          {help}
        </p>
      )}
    </div>
  );
  return (
    <form
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h1>{t.newTask}</h1>
      <p class="lead">{t.taskIntro}</p>
      <p>
        <button type="button" class="button" onClick={() => setFields(exampleTask)}>
          {t.example}
        </button>
      </p>
      <fieldset class="plan-group">
        <legend>{t.naming}</legend>
        <div class="pairs">
          {input('id', t.id, { help: t.idHelp })}
          <span class="not-narrow" />
          {input('titleEn', t.titleEn)}
          {input('titleZh', `${t.titleZh} (${t.optional})`)}
          {input('descriptionEn', t.descriptionEn, { area: true, help: t.descriptionHelp })}
          {input('descriptionZh', `${t.descriptionZh} (${t.optional})`, { area: true })}
          {input('licence', `${t.licence} (${t.optional})`, { help: t.licenceHelp })}
        </div>
      </fieldset>
      <fieldset class="plan-group">
        <legend>{t.dataTitle}</legend>
        <div class="plan-grid">
          {select('kind', t.kind, { image: t.image, table: t.table })}
          {fields.kind === 'image' && input('width', t.width)}
          {fields.kind === 'image' && input('height', t.height)}
          {fields.kind === 'image' && select('channels', t.channels, { '1': t.grey, '3': t.colour })}
          {fields.kind === 'table' && (
            <div class="field">
              <label for="task-data-file">{`${t.dataFile} (${t.optional})`}</label>
              <input
                id="task-data-file"
                class="input"
                type="file"
                accept=".csv,.tsv,.txt,.xlsx,.parquet"
                data-testid="task-data-file"
                aria-describedby="task-help-data-file"
                onChange={(event) => {
                  const file = event.currentTarget.files?.[0];
                  if (file !== undefined) void propose(file);
                }}
              />
              <p class="help" id="task-help-data-file">
                {t.dataFileHelp}
              </p>
            </div>
          )}
          {fields.kind === 'image' &&
            select(
              'range',
              t.pixelRange,
              { '': t.pixelRangeByModel, '0-1': '0–1', '-1-1': '−1–1', '0-255': '0–255' },
              t.pixelRangeHelp,
            )}
          {fields.kind === 'table' && input('features', t.features, { area: true, help: t.featuresHelp })}
          {fields.kind === 'table' &&
            select('scaling', t.scaling, { given: t.scalingGiven, agreed: t.scalingAgreed }, t.scalingHelp)}
          {fields.kind === 'table' && input('groups', `${t.groups} (${t.optional})`, { help: t.groupsHelp })}
          {fields.kind === 'table' && input('target', t.target)}
          {fields.kind === 'table' &&
            select('targetKind', t.targetKind, { class: t.targetClass, number: t.targetNumber })}
          {fields.kind === 'table' && fields.targetKind === 'number' && (
            <>
              {input('targetUnit', `${t.targetUnit} (${t.optional})`)}
              {fields.scaling === 'given' && (
                <>
                  {input('targetMean', `${t.targetMean} (${t.optional})`, { help: t.targetScalingHelp })}
                  {input('targetScale', `${t.targetScale} (${t.optional})`)}
                </>
              )}
              {input(
                'targetMin',
                fields.scaling === 'given' ? `${t.targetMin} (${t.optional})` : t.targetMin,
              )}
              {input(
                'targetMax',
                fields.scaling === 'given' ? `${t.targetMax} (${t.optional})` : t.targetMax,
              )}
            </>
          )}
          {(fields.kind === 'image' || fields.targetKind === 'class') &&
            input('classes', t.classes, { area: true, help: t.classesHelp })}
          {input('heldOut', t.heldOut, { help: t.heldOutHelp })}
        </div>
      </fieldset>
      <fieldset class="plan-group stack tight">
        <legend>{t.modelTitle}</legend>
        <ModelFields chosen={chosen} onChoose={choose} error={modelError} sent={sent} />
        {input('model', t.modelJson, { area: true, mono: true, help: t.modelHelp })}
      </fieldset>
      {error !== null && (
        <p class="note bad" role="alert" data-testid="task-error">
          <FailureSaid error={error} />
        </p>
      )}
      <div class="row">
        <button type="submit" class="button primary" data-testid="task-submit" disabled={busy}>
          {busy ? t.adding : t.addTask}
        </button>
      </div>
    </form>
  );
}

/** A task that was added with warnings, each in a sentence, and the way on. */
function Warned({ task }: { task: CreatedTask }) {
  const t = text();
  const sentences = task.warnings.map((warning) =>
    warning.kind === 'confusable-names'
      ? t.confusable(warning.names.map((name) => `“${name}”`).join(own().join))
      : t.large(warning.column, formatNumber(warning.magnitude)),
  );
  return (
    <section class="stack">
      <h1>{localized(task.title)}</h1>
      <div class="note warn" role="status" data-testid="task-warnings">
        <p>{t.warnings}</p>
        <ul>
          {sentences.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      </div>
      <div class="row">
        <button
          type="button"
          class="button primary"
          data-testid="task-to-launch"
          onClick={() => go({ view: 'launch', task: task.id, from: null })}
        >
          {t.toLaunch}
        </button>
      </div>
    </section>
  );
}
