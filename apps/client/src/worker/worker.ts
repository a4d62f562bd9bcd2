import { sessionClient } from '@coppice/client/session';
import { checkQuality, examplesCsv } from '@coppice/datasets';
import type { DataSummary, LocalData } from '@coppice/participant';
import { type BrowserParticipant, createBrowserParticipant } from '@coppice/participant/browser';
import { coalesce } from '@coppice/ports';
import { systemClock } from '@coppice/ports/system';
import { awaitsScaling, CoppiceError, exampleSize, type Task, type TaskInfo } from '@coppice/protocol';
import { createTrainer, rankBackends } from '@coppice/training';
import * as Comlink from 'comlink';
import type { ClientApi, Comparison, PictureSource, ReleasedModel } from './api.ts';
import { workerPace } from './effort.ts';
import { errorTransfer } from './error-transfer.ts';
import { listExamples } from './example-list.ts';
import { lastModels } from './last-model.ts';
import type { OpenTable } from './open-table.ts';
import { PageVisibility } from './page-visibility.ts';
import { readSent } from './pictures.ts';
import { compare } from './predictor.ts';
import { Released } from './released.ts';
import { fetchSamples } from './samples.ts';

/*
 * The participant, off the page's thread: socket, examples, training, decoding. The page only shows.
 */
errorTransfer();

/** Shortest interval between two states for the page, in milliseconds: faster than anyone reads. */
const STATE_INTERVAL = 66;
/** Number of shares in the first fetch, a small one that finds the number of samples; the smallest data set has 120. */
const PROBE_SHARES = 60;

/** Key of the current effort: the run, the backend and everything else that changes the time of a batch. */
let doing = '';
const pace = workerPace(systemClock, () => doing);
const started = createBrowserParticipant({
  url: self.location.origin,
  createTrainer: (description, options) => createTrainer(description, { ...options, pace }),
  rank: rankBackends,
  device: 'browser',
});
/** The part of a task that opens its examples; the model is not needed. */
type DataTask = Pick<Task, 'id' | 'data'>;
let opened: { task: DataTask; data: LocalData } | null = null;
let lastSeen: TaskInfo | null = null;
/** The table that the page looks at before it is added. */
let openTable: OpenTable | null = null;
const dataListeners = new Set<(summary: DataSummary) => void>();

const lastModel = lastModels(async (run) => (await participant()).session.pull(run));

const participant = (): Promise<BrowserParticipant> => started;

/** Milliseconds between two questions for a new release, where the coordinator tells of none by itself. */
const RELEASE_INTERVAL = 30_000;

const visibility = new PageVisibility();
const releasedListeners = new Set<(model: ReleasedModel | null) => void>();
const released = started.then(
  ({ session, openData, predictions }) =>
    new Released({
      open: (task) =>
        sessionClient({
          url: self.location.origin,
          task,
          session,
          openData,
          predictions,
          interval: RELEASE_INTERVAL,
          visibility,
        }),
      unmonitor: async (task) => session.unmonitor(task),
      told: (model) => {
        for (const listener of releasedListeners) listener(model);
      },
    }),
);

function current(): { task: DataTask; data: LocalData } {
  if (opened === null) throw new CoppiceError('run-state', 'No task has been opened yet.');
  return opened;
}

async function changed(summary: DataSummary): Promise<DataSummary> {
  const { session } = await participant();
  await session.dataChanged();
  return summary;
}

async function fetchTask(id: string): Promise<DataTask> {
  let response: Response;
  try {
    response = await fetch(`/api/tasks/${id}`);
  } catch (thrown) {
    // Without the coordinator, what is kept here is still the person's to see.
    if (lastSeen?.id === id) return lastSeen;
    throw thrown;
  }
  const task = (await response.json().catch(() => null)) as (Task & { error?: unknown }) | null;
  if (!response.ok || task === null) throw CoppiceError.fromAnswer(task?.error);
  return task;
}

function imageTask(task: DataTask) {
  if (task.data.kind !== 'image')
    throw new CoppiceError('data-invalid', 'This task learns from tables, not from pictures.');
  return task.data;
}

function tableTask(task: DataTask) {
  if (task.data.kind !== 'table')
    throw new CoppiceError('data-invalid', 'This task learns from pictures, not from tables.');
  return task.data;
}

const api: ClientApi = {
  async subscribe(listener) {
    const { session } = await participant();
    const push = coalesce(systemClock, STATE_INTERVAL, () => listener(session.state));
    session.subscribe(({ joined, backend }) => {
      doing = `${joined?.run}/${backend}`;
      push.request();
    });
    listener(session.state);
  },
  async connect(known) {
    lastSeen = known;
    (await participant()).session.connect();
  },
  async watch(runs) {
    await (await participant()).session.watch(runs);
  },
  async join(run, invitation) {
    await (await participant()).session.join(run, invitation);
  },
  async leave() {
    await (await participant()).session.leave();
  },
  async pause() {
    await (await participant()).session.pause();
  },
  async resume() {
    await (await participant()).session.resume();
  },
  async setShare(share) {
    pace.set(share);
  },
  async setBackend(backend) {
    (await participant()).prefer(backend);
  },
  async watchEffort(told) {
    pace.listen(told);
  },

  async openTask(id) {
    const { openData } = await participant();
    // A scaling that was awaited may have been agreed.
    if (opened?.task.id !== id || awaitsScaling(opened.task.data)) {
      opened?.data.close();
      opened = null;
      openTable = null;
      const task = await fetchTask(id);
      const data = await openData(id, task.data);
      data.subscribe((summary) => {
        for (const listener of dataListeners) listener(summary);
      });
      opened = { task, data };
    }
    return current().data.summary();
  },
  async subscribeData(listener) {
    dataListeners.add(listener);
  },
  async addSample(examples) {
    const { task, data } = current();
    // The size of a share tells the total number; a small share tells it cheaply.
    const probe = await fetchSamples(task.id, 0, PROBE_SHARES);
    const of = Math.max(1, Math.min(10_000, Math.round((probe.count * PROBE_SHARES) / examples)));
    const share = Math.floor(Math.random() * of);
    return changed(await data.add(await fetchSamples(task.id, share, of), 'sample'));
  },
  async addPictures(pictures, label, source) {
    const { task, data } = current();
    const schema = imageTask(task);
    const size = exampleSize(schema);
    const read: Uint8Array[] = [];
    const unreadable: number[] = [];
    for (const [place, picture] of pictures.entries()) {
      try {
        read.push(await readSent(picture, schema));
      } catch {
        unreadable.push(place);
      }
    }
    const features = new Uint8Array(read.length * size);
    for (const [i, pixels] of read.entries()) features.set(pixels, i * size);
    const labels = new Float32Array(read.length).fill(label);
    return {
      summary: await changed(await data.add({ count: read.length, features, labels }, source)),
      unreadable,
    };
  },
  async preparePicture(picture) {
    return readSent(picture, imageTask(current().task));
  },
  async openTable(file, choices) {
    const task = tableTask(current().task);
    openTable = null;
    const { OpenTable } = await import('./open-table.ts');
    openTable = await OpenTable.read(file, choices, task);
    return openTable.view();
  },
  async fitTable(mapping, labels) {
    return theOpenTable().fit(mapping, labels);
  },
  async addTable(mapping, labels) {
    const { data } = current();
    const { examples, skipped, unlisted } = theOpenTable().take(mapping, labels);
    const summary = await changed(await data.add(examples, 'csv'));
    return { summary, added: examples.count, skipped, unlisted };
  },
  async rowsOf(file) {
    const { rowsOf } = await import('./open-table.ts');
    return rowsOf(file, tableTask(current().task));
  },
  async closeTable() {
    openTable = null;
  },
  async clearData(which) {
    return changed(await current().data.clear(which));
  },
  async listExamples(part) {
    return listExamples(await current().data.examples(), part);
  },
  async removeExamples(ids) {
    return changed(await current().data.remove(ids));
  },
  async exportData() {
    const { task, data } = current();
    return new Blob([examplesCsv(await data.examples(), task.data)], { type: 'text/csv' });
  },
  async checkQuality() {
    const { task, data } = current();
    return checkQuality(await data.examples(), task.data);
  },
  async randomExample() {
    const { data } = current();
    const { count, features, labels } = await data.examples();
    if (count === 0) return null;
    const at = Math.floor(Math.random() * count);
    const size = features.length / count;
    return { features: [...features.subarray(at * size, (at + 1) * size)], label: labels[at] as number };
  },

  async predictPicture(picture, over) {
    const { session } = await participant();
    const task = session.state.joined?.task ?? current().task;
    return answer(await readSent(picture, imageTask(task)), over);
  },
  async subscribeReleased(listener) {
    releasedListeners.add(listener);
  },
  async predictReleased(input) {
    const { session } = await participant();
    const { id, data } = session.state.joined?.task ?? current().task;
    try {
      return await (await released).predict(id, isPicture(input) ? input : stored(input, data));
    } finally {
      if (input instanceof ImageBitmap) input.close();
    }
  },
  async use(id) {
    await (await released).use(id);
  },
  async correct(id, label) {
    return (await released).correct(id, label);
  },

  async monitor(task, terms) {
    await (await released).monitor(task, terms);
  },
  async unmonitor(task) {
    await (await released).unmonitor(task);
  },
  async seen(isSeen) {
    visibility.set(isSeen);
    if (!isSeen) await (await participant()).session.save();
  },

  async predictFeatures(features, over) {
    return answer(Float64Array.from(features), over);
  },
};

/** @throws CoppiceError `data-invalid` where the page's file is not open any more. */
function theOpenTable(): OpenTable {
  if (openTable === null)
    throw new CoppiceError('data-invalid', 'The file is not open any more. Choose it again.');
  return openTable;
}

function isPicture(input: PictureSource | readonly number[]): input is PictureSource {
  return !Array.isArray(input);
}

/** Raw features in stored form. */
function stored(
  features: readonly number[],
  { kind }: DataTask['data'],
): Uint8Array | Float32Array | Float64Array {
  return kind === 'image' ? Uint8Array.from(features) : Float64Array.from(features);
}

async function answer(
  features: Uint8Array | Float32Array | Float64Array,
  over: string | null,
): Promise<Comparison | null> {
  const { session, predictions } = await participant();
  const { joined, runs } = session.state;
  const { first, latest } = session.models();
  if (joined !== null && latest !== null)
    return compare(joined.task, { first, latest }, predictions, features);
  const run = runs.find(({ id }) => id === over);
  if (run === undefined) return null;
  const { task, model } = await lastModel(run);
  return compare(task, { first: null, latest: model }, predictions, features);
}

Comlink.expose(api);
