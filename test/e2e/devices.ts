import { normaliseFeatures, parsePartition, partition, selectExamples } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import { httpTasks, type LocalData, memoryData, type Session, type TaskModel } from '@coppice/participant';
import { createHeadlessParticipant, trainerHost } from '@coppice/participant/node';
import { seededRandom } from '@coppice/ports';
import { systemClock } from '@coppice/ports/system';
import type { Task } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';

const TASK = 'mnist-2nn';
const SIDE = 28;
/** Examples that a device has before anything is watched, and the predictions that it makes in a period. */
const BEFORE = 300;
const EACH = 30;

/** A picture turned by a quarter to the right. */
export function turned(pixels: Uint8Array): Uint8Array {
  return pixels.map((_, i) => {
    const [row, column] = [Math.floor(i / SIDE), i % SIDE];
    return pixels[(SIDE - 1 - column) * SIDE + row] as number;
  });
}

/** Devices of people that use the released model, and tell which of its answers were right. */
export interface Devices {
  readonly sessions: readonly Session[];
  /** Turns the digits that come from now on. */
  turn(): void;
  /** Offers reports, and makes predictions from then on: some in every period. */
  use(consent: string): Promise<void>;
  close(): void;
}

/** Connects headless participants with digits of their own. */
export async function connectDevices(url: string, count: number): Promise<Devices> {
  const { train, task } = {
    ...(await loadTaskData(TASK)),
    task: (await (await fetch(`${url}/api/tasks/${TASK}`)).json()) as Task,
  };
  const shares = partition(train.labels, Math.floor(train.count / 1000), parsePartition('iid'), 'devices');
  const source = httpTasks(url, { clock: systemClock });
  const host = trainerHost(createTrainer, ['planned']);
  const asking = trainerHost(createTrainer, ['planned']);
  const models = new Map<string, Promise<TaskModel>>();
  let isTurned = false;
  const devices = await Promise.all(
    Array.from({ length: count }, async (_, device) => {
      const own = selectExamples(train, shares[device] as Uint32Array);
      const examples = selectExamples(
        own,
        Uint32Array.from({ length: BEFORE }, (_, i) => i),
      );
      const data: LocalData = memoryData(task.data, examples, {
        random: seededRandom('examples of a device', device),
        now: () => Date.now(),
      });
      const session = createHeadlessParticipant({
        url,
        identity: `a device ${device}`,
        host,
        backend: 'planned',
        examples,
        openData: async () => ({ ...data, close: () => {} }),
        tasks: source,
      });
      session.connect();
      return { session, data, own, next: BEFORE };
    }),
  );

  /** The digits of one period: predicted, counted, and each with its outcome. */
  async function predict(device: (typeof devices)[number]): Promise<void> {
    const { session, own, data } = device;
    const rows = Uint32Array.from({ length: EACH }, (_, i) => (device.next + i) % own.count);
    device.next += EACH;
    const { features, labels } = selectExamples(own, rows);
    const size = SIDE * SIDE;
    const digits = Array.from({ length: EACH }, (_, i) => {
      const pixels = (features as Uint8Array).subarray(i * size, (i + 1) * size);
      return isTurned ? turned(pixels) : pixels;
    });
    const news = session.state.releases[TASK];
    const release =
      news === undefined
        ? (await source.watch(TASK)).release
        : news.canary?.arm === 'canary'
          ? news.canary
          : news.production;
    if (release === null) return;
    const model = models.get(release.hash) ?? source.model(TASK, release.hash);
    models.set(release.hash, model);
    const { topology, weights } = await model;
    const all = new Uint8Array(EACH * size);
    for (const [i, pixels] of digits.entries()) all.set(pixels, i * size);
    const { outputs, features: seen } = await asking.use(
      { topology, data: task.data, loss: task.loss },
      (trainer) => {
        trainer.setWeights(weights);
        return trainer.predictWithFeatures(normaliseFeatures(all, task.data), EACH);
      },
    );
    const row = (of: Float32Array, i: number) =>
      of.subarray((i * of.length) / EACH, ((i + 1) * of.length) / EACH);
    for (const [i, example] of digits.entries()) {
      const id = `${device.next}-${i}`;
      session.observe(TASK, {
        hash: release.hash,
        example,
        output: row(outputs, i),
        features: seen === null ? null : row(seen, i),
        id,
      });
      await session.outcome(TASK, id, labels[i] as number);
    }
    await data.add({ count: EACH, features: all, labels }, 'outcome');
  }

  return {
    sessions: devices.map(({ session }) => session),
    turn() {
      isTurned = true;
    },
    async use(consent) {
      for (const device of devices) {
        const { session } = device;
        await session.monitor(TASK, { consent });
        // They take part in every run of the task.
        const joined = new Set(session.state.runs.map(({ id }) => id));
        session.subscribe(({ runs }) => {
          for (const { id, task, status } of runs) {
            if (task !== TASK || status !== 'running' || joined.has(id)) continue;
            joined.add(id);
            session.join(id).catch(() => {});
          }
        });
        await session.watch([]);
        let told: number | string | null = 'nothing yet';
        let turn = Promise.resolve();
        session.subscribe(({ monitored }) => {
          const { info = null, reported = null } = monitored[TASK] ?? {};
          // Anew after each report, and where counting begins with another reference.
          const now = info?.state === 'reports' ? `${info.reference?.identity} ${reported}` : null;
          if (now === null || now === told) return;
          told = now;
          turn = turn.then(() => predict(device)).catch(() => {});
        });
      }
    },
    close() {
      for (const { session } of devices) session.close();
      host.dispose();
      asking.dispose();
    },
  };
}
