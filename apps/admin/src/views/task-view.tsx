import { CoppiceError } from '@coppice/protocol';
import { catalogue } from '@coppice/ui';
import { useState } from 'preact/hooks';
import { createTask } from '../live/api.ts';
import { go } from '../shell/route.ts';
import { exampleTask } from './example-task.ts';
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
  const set = (change: Partial<TaskFields>) => setFields({ ...fields, ...change });
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
    try {
      const task = await createTask(taskRequest(fields));
      go({ view: 'launch', task: task.id, from: null });
    } catch (thrown) {
      setError(CoppiceError.from(thrown));
    }
    setBusy(false);
  };
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
  const select = (name: keyof TaskFields, label: string, options: Record<string, string>) => (
    <div class="field">
      <label for={`task-field-${name}`}>{label}</label>
      <select
        id={`task-field-${name}`}
        class="input"
        data-testid={`task-field-${name}`}
        value={fields[name]}
        onChange={(event) => set({ [name]: event.currentTarget.value })}
      >
        {Object.entries(options).map(([value, shown]) => (
          <option key={value} value={value}>
            {shown}
          </option>
        ))}
      </select>
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
          {fields.kind === 'table' && input('features', t.features, { area: true, help: t.featuresHelp })}
          {fields.kind === 'table' && input('groups', `${t.groups} (${t.optional})`, { help: t.groupsHelp })}
          {fields.kind === 'table' && input('target', t.target)}
          {fields.kind === 'table' &&
            select('targetKind', t.targetKind, { class: t.targetClass, number: t.targetNumber })}
          {fields.kind === 'table' && fields.targetKind === 'number' && (
            <>
              {input('targetUnit', `${t.targetUnit} (${t.optional})`)}
              {input('targetMean', `${t.targetMean} (${t.optional})`, { help: t.targetScalingHelp })}
              {input('targetScale', `${t.targetScale} (${t.optional})`)}
            </>
          )}
          {(fields.kind === 'image' || fields.targetKind === 'class') &&
            input('classes', t.classes, { area: true, help: t.classesHelp })}
          {input('heldOut', t.heldOut, { help: t.heldOutHelp })}
        </div>
      </fieldset>
      <fieldset class="plan-group stack tight">
        <legend>{t.modelTitle}</legend>
        {input('model', t.modelJson, { area: true, mono: true, help: t.modelHelp })}
        <div class="field">
          <label for="task-file">{t.chooseFile}</label>
          <input
            id="task-file"
            class="input"
            type="file"
            accept=".json,application/json"
            data-testid="task-file"
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              if (file !== undefined) void file.text().then((model) => set({ model }));
            }}
          />
        </div>
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
