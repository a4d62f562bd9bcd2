import {
  type Checkpoint,
  checkpointId,
  type Event,
  type Round,
  type Task,
  weightsHash,
} from '@coppice/protocol';
import { toBytes, toFloat32 } from './blobs.ts';
import { RUNS, runsOf } from './counters.ts';
import { firstCheckpoint } from './first-checkpoint.ts';
import { memoryAdmins } from './memory-admins.ts';
import { memoryAdmission } from './memory-admission.ts';
import { memoryBlobs } from './memory-blobs.ts';
import { memoryFirings } from './memory-firings.ts';
import { memoryParticipants } from './memory-participants.ts';
import { memoryPeriods } from './memory-periods.ts';
import { memoryPolicies } from './memory-policies.ts';
import { memoryReferences } from './memory-references.ts';
import { memoryReleases } from './memory-releases.ts';
import { memoryWeights } from './memory-weights.ts';
import { keptRounds } from './retention.ts';
import { EVENTS_A_PAGE, type Measured, type RunRecord, type Storage, type StoredModel } from './storage.ts';
import { runGone, taskExists, taskGone } from './storage-error.ts';

/** Storage in memory, for tests and temporary coordinators. Values are copied in and out. */
export function memoryStorage(): Storage {
  const tasks = new Map<string, Task>();
  const runs = new Map<string, RunRecord>();
  const rounds = new Map<string, Round>();
  const models: { checkpoint: Checkpoint; state: StoredModel['state']; typicalLoss?: number | null }[] = [];
  const events: Event[] = [];
  let lastEvent = 0;
  const counters = new Map<string, number>();
  const nextNumber = (name: string) => {
    const value = (counters.get(name) ?? 0) + 1;
    counters.set(name, value);
    return value;
  };
  const admission = memoryAdmission();
  const { references, spend } = memoryReferences();
  const blobs = memoryBlobs();
  const copy = <T>(value: T): T => structuredClone(value);
  const roundKey = (round: Round) => `${round.run}/${round.round}/${round.attempt}`;
  const putMeasured = ({ checkpoint, round: made }: Measured) => {
    const { run, round, central, federated, typicalLoss = null } = checkpoint;
    for (const [at, model] of models.entries())
      if (model.checkpoint.run === run && model.checkpoint.round === round)
        models[at] = {
          ...model,
          checkpoint: { ...model.checkpoint, ...copy({ central, federated }) },
          typicalLoss,
        };
    if (made !== null) rounds.set(roundKey(made), copy(made));
  };
  const { releases, since } = memoryReleases(
    (id) => models.find(({ checkpoint }) => checkpoint.id === id)?.checkpoint,
  );
  const isNamed = (hash: string) =>
    models.some(({ checkpoint }) => checkpoint.hash === hash) ||
    [...tasks.values()].some(({ weights }) => weights === hash) ||
    isUpload(hash);
  const drop = async (hash: string) => {
    if (!isNamed(hash)) await blobs.delete(hash);
  };
  const { weights, isUpload } = memoryWeights(blobs, drop);
  const sequenceOf = ({ checkpoint }: { checkpoint: Checkpoint }) => runs.get(checkpoint.run)?.sequence ?? 0;

  return {
    async addTask(task, given) {
      if (tasks.has(task.id)) throw taskExists(task.id);
      tasks.set(task.id, copy(task));
      if (given !== undefined) await blobs.put(toBytes(given));
    },
    async tasks() {
      return copy([...tasks.values()].sort((a, b) => (a.id < b.id ? -1 : 1)));
    },
    async changeTask(id, change) {
      const task = tasks.get(id);
      if (task === undefined) throw taskGone(id);
      const changed = copy({ ...change(copy(task)), id });
      tasks.set(id, changed);
      return copy(changed);
    },
    async createRun({ run, admission: admitted, model }) {
      const id = `${run.task.id}-${nextNumber(runsOf(run.task.id))}`;
      const record = copy({ id, sequence: nextNumber(RUNS), ...run });
      const put = blobs.put(toBytes(model.weights));
      runs.set(id, record);
      const checkpoint = firstCheckpoint(record, model, weightsHash(model.weights));
      models.push(copy({ checkpoint, state: model.state }));
      await admission.setAdmission(id, admitted);
      await put;
      return copy(record);
    },
    async putRun(run) {
      if (!runs.has(run.id)) throw runGone(run.id);
      runs.set(run.id, copy(run));
    },
    async runs() {
      return copy([...runs.values()].sort((a, b) => a.sequence - b.sequence));
    },
    async putRound(round) {
      rounds.set(roundKey(round), copy(round));
    },
    async rounds(run) {
      const found = [...rounds.values()].filter((round) => round.run === run);
      return copy(found.sort((a, b) => a.round - b.round || a.attempt - b.attempt));
    },
    async round(run, round, attempt) {
      return copy(rounds.get(`${run}/${round}/${attempt}`) ?? null);
    },
    async commit({ run, round, model, measured = null }) {
      if (run !== null && !runs.has(run.id)) throw runGone(run.id);
      const put = blobs.put(toBytes(model.weights));
      if (run !== null) runs.set(run.id, copy(run));
      if (round !== null) rounds.set(roundKey(round), copy(round));
      if (measured !== null) putMeasured(measured);
      const { run: of, round: at } = model.checkpoint;
      const checkpoint = { ...model.checkpoint, id: checkpointId(of, at) };
      models.push(copy({ checkpoint, state: model.state }));
      await put;
    },
    async prune(run, rule, released) {
      const before = models.filter(({ checkpoint }) => checkpoint.run === run);
      const kept = keptRounds(
        before.map(({ checkpoint, typicalLoss = null }) => ({ ...checkpoint, typicalLoss })),
        rule,
      );
      const named = since(before[0]?.checkpoint.task ?? '', released);
      const gone = before.filter(({ checkpoint: { id, round } }) => !kept.has(round) && !named.has(id));
      for (const model of gone) models.splice(models.indexOf(model), 1);
      for (const { checkpoint } of gone) await drop(checkpoint.hash);
      return gone.length;
    },
    async checkpoints(run) {
      const found = models.filter(({ checkpoint }) => checkpoint.run === run);
      return copy(found.map(({ checkpoint }) => checkpoint).sort((a, b) => b.round - a.round));
    },
    async latest(run) {
      const found = models.filter(({ checkpoint }) => checkpoint.run === run);
      const last = found.sort((a, b) => b.checkpoint.round - a.checkpoint.round)[0];
      if (last === undefined) return null;
      return { ...copy(last), weights: toFloat32(await blobs.get(last.checkpoint.hash)) };
    },
    async latestOfTask(task, without = []) {
      const found = models.filter(
        ({ checkpoint }) =>
          checkpoint.task === task && checkpoint.round >= 1 && !without.includes(checkpoint.run),
      );
      const [last] = found.sort(
        (a, b) => sequenceOf(b) - sequenceOf(a) || b.checkpoint.round - a.checkpoint.round,
      );
      return copy(last?.checkpoint ?? null);
    },
    async latestOfRun(run) {
      const found = models.filter(({ checkpoint }) => checkpoint.run === run && checkpoint.round >= 1);
      return copy(found.sort((a, b) => b.checkpoint.round - a.checkpoint.round)[0]?.checkpoint ?? null);
    },
    async checkpoint(id) {
      return copy(models.find(({ checkpoint }) => checkpoint.id === id)?.checkpoint ?? null);
    },
    async checkpointByHash(task, hash, without = []) {
      const found = models.filter(
        ({ checkpoint }) =>
          checkpoint.hash === hash && checkpoint.task === task && !without.includes(checkpoint.run),
      );
      const [first] = found.sort(
        (a, b) => sequenceOf(a) - sequenceOf(b) || a.checkpoint.round - b.checkpoint.round,
      );
      return copy(first?.checkpoint ?? null);
    },
    weights: async (hash) => toFloat32(await blobs.get(hash)),
    async putMetrics(measured) {
      putMeasured(measured);
    },
    async appendEvents(added) {
      const made = added.map(({ message, data = null, ...event }) => ({
        id: ++lastEvent,
        ...event,
        message: message.replaceAll('\0', '\uFFFD'),
        data,
      }));
      events.push(...copy(made));
      return copy(made);
    },
    async events({ run, after, before, limit = EVENTS_A_PAGE }) {
      const found = events.filter(
        ({ id, run: of }) =>
          id > (after ?? 0) && id < (before ?? Number.POSITIVE_INFINITY) && (run === undefined || of === run),
      );
      if (after !== undefined) return copy(found.slice(0, limit));
      const newest = limit === 0 ? [] : found.slice(-limit);
      return copy(before === undefined ? newest : newest.reverse());
    },
    async forgetEvents(before) {
      const first = events.findIndex(({ id }) => id >= before);
      events.splice(0, first === -1 ? events.length : first);
    },
    ...memoryAdmins(),
    ...admission,
    ...memoryParticipants(),
    ...memoryPeriods(spend),
    ...memoryPolicies(),
    ...memoryFirings(spend),
    ...references,
    ...releases,
    ...weights,
    async close() {},
  };
}
