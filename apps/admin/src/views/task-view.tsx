import { CoppiceError, type CreateTask } from '@coppice/protocol';
import { useState } from 'preact/hooks';
import { createTask } from '../live/api.ts';
import { go } from '../shell/route.ts';
import { exampleTask } from './example-task.ts';
import { text } from './texts.ts';

export interface TaskFields {
  readonly id: string;
  readonly titleEn: string;
  readonly titleZh: string;
  readonly descriptionEn: string;
  readonly descriptionZh: string;
  readonly kind: 'image' | 'table';
  readonly width: string;
  readonly height: string;
  readonly channels: '1' | '3';
  readonly classes: string;
  readonly features: string;
  readonly target: string;
  readonly targetKind: 'class' | 'number';
  readonly model: string;
}

const blank: TaskFields = {
  id: '',
  titleEn: '',
  titleZh: '',
  descriptionEn: '',
  descriptionZh: '',
  kind: 'image',
  width: '28',
  height: '28',
  channels: '1',
  classes: '',
  features: '',
  target: '',
  targetKind: 'class',
  model: '',
};

const lines = (value: string) =>
  value
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** What is sent. @throws CoppiceError `model-invalid` where the model is no JSON at all. */
function requestOf(fields: TaskFields): CreateTask {
  let model: CreateTask['model'];
  try {
    model = JSON.parse(fields.model) as CreateTask['model'];
  } catch (cause) {
    throw new CoppiceError('model-invalid', text().notJson, { cause });
  }
  const both = (en: string, zh: string) => (zh.trim() === '' ? { en } : { en, zh });
  return {
    id: fields.id.trim(),
    title: both(fields.titleEn, fields.titleZh),
    description: both(fields.descriptionEn, fields.descriptionZh),
    data:
      fields.kind === 'image'
        ? {
            kind: 'image',
            width: Number(fields.width),
            height: Number(fields.height),
            channels: fields.channels === '1' ? 1 : 3,
            classes: lines(fields.classes),
          }
        : {
            kind: 'table',
            features: lines(fields.features).map((name) => ({ name, mean: 0, scale: 1 })),
            target:
              fields.targetKind === 'class'
                ? { kind: 'class', name: fields.target.trim(), classes: lines(fields.classes) }
                : { kind: 'number', name: fields.target.trim() },
          },
    model,
  };
}

export function TaskView() {
  const t = text();
  const [fields, setFields] = useState(blank);
  const [error, setError] = useState<CoppiceError | null>(null);
  const [busy, setBusy] = useState(false);
  const set = (change: Partial<TaskFields>) => setFields({ ...fields, ...change });
  const submit = async () => {
    setBusy(true);
    setError(null);
    try {
      const task = await createTask(requestOf(fields));
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
      <div class="plan-grid">
        {input('id', t.id, { help: t.idHelp })}
        {input('titleEn', t.titleEn)}
        {input('titleZh', `${t.titleZh} (${t.optional})`)}
        {input('descriptionEn', t.descriptionEn, { area: true, help: t.descriptionHelp })}
        {input('descriptionZh', `${t.descriptionZh} (${t.optional})`, { area: true })}
      </div>
      <div class="plan-grid">
        {select('kind', t.kind, { image: t.image, table: t.table })}
        {fields.kind === 'image' && input('width', t.width)}
        {fields.kind === 'image' && input('height', t.height)}
        {fields.kind === 'image' && select('channels', t.channels, { '1': t.grey, '3': t.colour })}
        {fields.kind === 'table' && input('features', t.features, { area: true, help: t.featuresHelp })}
        {fields.kind === 'table' && input('target', t.target)}
        {fields.kind === 'table' &&
          select('targetKind', t.targetKind, { class: t.targetClass, number: t.targetNumber })}
        {(fields.kind === 'image' || fields.targetKind === 'class') &&
          input('classes', t.classes, { area: true, help: t.classesHelp })}
      </div>
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
      {error !== null && (
        <p class="note bad" role="alert" data-testid="task-error">
          {error.message} <code>{error.code}</code>
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
