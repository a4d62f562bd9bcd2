import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Coordinator,
  memorySpool,
  memoryStorage,
  noLimits,
  startCoordinator,
} from '@coppice/coordinator';
import { partition, selectExamples } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import { createSession, memoryData, memoryState, socketTransport } from '@coppice/participant';
import { headlessIdentity, headlessSecret, trainerHost } from '@coppice/participant/node';
import { systemClock } from '@coppice/ports/system';
import type { PlanInputValues } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { type Attack, attacks, hostile, stamped, TARGET } from './one-of-ten/attacks.ts';

/*
 * What one of ten participants can do to a model: each attack in a run of its own, through a real coordinator, against the
 * same run in which nobody is bad. MNIST 2NN, half of the training data, plans with the defaults but for what is named here.
 */
const TASK = 'mnist-2nn';
const ROUNDS = 10;
const PARTICIPANTS = 10;
/** Examples that each has. */
const EACH = 3000;
/** Each is a run of its own: another deal of the data, other first weights, other batches. */
const SEEDS = [1, 2, 3];
/** Attempts of one round after which a run is taken for dead. */
const MOST_ATTEMPTS = 5;
const plan = {
  rounds: ROUNDS,
  cohortFraction: 1,
  minParticipants: PARTICIPANTS,
  overSelection: 1,
  quorum: 1,
  epochs: 1,
  batchSize: 10,
  learningRate: 0.1,
  evaluationShare: 0,
  deadlineSeconds: 600,
} satisfies PlanInputValues;
const unlimited = { weightFactor: null, normFactor: null, firstNorm: null } satisfies PlanInputValues;

/** The largest loss of accuracy on IID data, in percentage points, that an attack without a backdoor may cause. */
const MOST_POINTS = 1;

type Data = Awaited<ReturnType<typeof loadTaskData>>;
type Dealt = 'iid' | 'shards:2';

interface Measured {
  /** Rounds committed; fewer than planned where honest participants diverged or were refused, too. */
  readonly rounds: number;
  readonly accuracy: number;
  /** Share of stamped pictures that are read as the backdoor says. */
  readonly backdoor: number;
  readonly capped: number;
  readonly scaled: number;
}

const host = trainerHost(createTrainer, ['planned']);

/** Writes docs/results/one-of-ten.md. @throws Error where an attack on IID data costs more than it may. */
export async function oneOfTen(): Promise<void> {
  const data = await loadTaskData(TASK);
  const measure = async (dealt: Dealt, attack: Attack, change: PlanInputValues = {}) => {
    const limits = Object.keys(change).length > 0 ? ', no limits' : '';
    process.stderr.write(`${dealt}, ${attack.title}${limits} …\n`);
    const runs: Measured[] = [];
    for (const seed of SEEDS) runs.push(await simulated(data, dealt, attack, { ...plan, ...change, seed }));
    return runs;
  };
  const rows: string[] = [];
  const faults: string[] = [];
  for (const dealt of ['iid', 'shards:2'] as const) {
    const honest = await measure(dealt, attacks.none);
    for (const attack of Object.values(attacks)) {
      if (dealt !== 'iid' && !attack.nonIid) continue;
      const runs = attack === attacks.none ? honest : await measure(dealt, attack);
      const without = dealt === 'iid' && attack.compared ? await measure(dealt, attack, unlimited) : null;
      const lost = runs.map(({ accuracy }, i) => 100 * ((honest[i] as Measured).accuracy - accuracy));
      const ended = runs.some(({ rounds }) => rounds < ROUNDS);
      if (dealt === 'iid' && attack.bounded && (mean(lost) > MOST_POINTS || ended))
        faults.push(`${attack.title}: ${mean(lost).toFixed(2)} points`);
      const cells = [
        dealt,
        attack.title,
        percent(of(runs, 'accuracy')),
        `${mean(lost).toFixed(2)} (${Math.min(...lost).toFixed(2)} to ${Math.max(...lost).toFixed(2)})`,
        percent(of(runs, 'backdoor')),
        of(runs, 'capped').toFixed(0),
        of(runs, 'scaled').toFixed(0),
        without === null ? '' : unlimitedCell(without),
      ];
      rows.push(`| ${cells.join(' | ')} |`);
      process.stderr.write(`${rows.at(-1)}\n`);
    }
  }
  host.dispose();
  writeFileSync(
    join(fileURLToPath(new URL('../../docs/results', import.meta.url)), 'one-of-ten.md'),
    page(rows),
  );
  if (faults.length > 0)
    throw new Error(`one of ten costs more than ${MOST_POINTS} point: ${faults.join('; ')}`);
}

function unlimitedCell(runs: readonly Measured[]): string {
  const ended = runs.map(({ rounds }) => rounds).filter((rounds) => rounds < ROUNDS);
  const early = ended.length === 0 ? '' : `, ${ended.length} of ${runs.length} ended early`;
  return `${percent(of(runs, 'accuracy'))}${early}`;
}

function of(runs: readonly Measured[], which: keyof Measured): number {
  return mean(runs.map((run) => run[which]));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function page(rows: readonly string[]): string {
  return `# One bad participant of ten

\`${TASK}\`, ${PARTICIPANTS} participants with ${EACH} examples each, ${ROUNDS} rounds, one epoch of batches of ${plan.batchSize}, learning rate ${plan.learningRate}, seeds ${SEEDS.join(', ')}. All other plan
fields have their defaults: \`weightFactor\`, \`normFactor\`, \`firstNorm\`, \`maxExamples\` and \`maxNorm\` limit an update. One participant attacks in every round
unless the table says otherwise. Repeat it with \`pnpm experiment one-of-ten\`; it fails where label flips, claims, sign flips or long updates cost more than
${MOST_POINTS} point on IID data, as the mean over the seeds. All figures are such means.

- **accuracy**: of the last model on the 10,000 test pictures, in %; **lost**: percentage points less than without an attack, with the least and the most of a seed.
- **backdoor**: test pictures of other digits than 7, with a stamp of 3 × 3 pixels, that are read as a 7, in %.
- **capped**, **scaled**: updates over all rounds that counted at the weight cap, or were scaled down to the norm bound.
- **no limits**: accuracy with \`weightFactor\`, \`normFactor\` and \`firstNorm\` empty, in %.

| data | attack | accuracy | lost | backdoor | capped | scaled | no limits |
|---|---|---|---|---|---|---|---|
${rows.join('\n')}

Differences of a few tenths of a point are chance. The limits hold what a single update can do in a round. They do not stop a backdoor
that is trained within them round after round, and on data that differs by participant an attacker weighs more, because honest updates agree less.

Machine: ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}, planned trainer.
`;
}

async function simulated(data: Data, dealt: Dealt, attack: Attack, own: PlanInputValues): Promise<Measured> {
  const coordinator = await startCoordinator({
    config: { ...noLimits, port: 0, logLevel: 'silent' },
    retryPauses: { first: 10, longest: 100 },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
  const { id: run } = await coordinator.runs.create(TASK, own, false);
  const how = dealt === 'iid' ? ({ kind: 'iid' } as const) : ({ kind: 'shards', shards: 2 } as const);
  const sessions = partition(
    data.train.labels.subarray(0, EACH * PARTICIPANTS),
    PARTICIPANTS,
    how,
    own.seed ?? 0,
  ).map((rows, i) => {
    const own = selectExamples(data.train, rows);
    const transport = socketTransport(coordinator.url, headlessIdentity(`one-of-ten/${i}`));
    const bad = i === 0;
    const session = createSession({
      transport: bad ? hostile(transport, attack, ROUNDS) : transport,
      host,
      openData: async (_task, schema) => memoryData(schema, bad ? (attack.data?.(own) ?? own) : own),
      splitSecret: headlessSecret(`one-of-ten/${i}`),
      heldOut: 0,
      clock: systemClock,
      device: 'headless',
      backend: 'planned',
      keepModels: false,
      localState: memoryState(),
    });
    session.connect();
    // There is no connection yet: this says which run is wanted.
    void session.join(run);
    return session;
  });
  try {
    const ended = finished(coordinator.runs, run);
    await coordinator.runs.act(run, 'start');
    await ended;
    const rounds = (await coordinator.storage.rounds(run)).filter(({ outcome }) => outcome === 'committed');
    const latest = await coordinator.storage.latest(run);
    const sum = (of: 'capped' | 'scaled') => rounds.reduce((total, round) => total + (round[of] ?? 0), 0);
    const [record] = await coordinator.storage.runs();
    if (record === undefined) throw new Error('the run is not in storage');
    const { task } = record;
    const others = selectExamples(
      data.test,
      [...data.test.labels.keys()].filter((at) => data.test.labels[at] !== TARGET),
    );
    const probe = await memoryData(task.data, stamped(others)).dataset();
    const hit = await host.use({ topology: task.model, data: task.data, loss: task.loss }, (trainer) => {
      trainer.setWeights(latest?.weights as Float32Array);
      return trainer.measure(probe);
    });
    return {
      rounds: rounds.length,
      accuracy: rounds.at(-1)?.central?.accuracy ?? 0,
      backdoor: (hit.hits ?? 0) / hit.examples,
      capped: sum('capped'),
      scaled: sum('scaled'),
    };
  } finally {
    for (const session of sessions) session.close();
    await coordinator.close();
  }
}

/** Resolves when the run is finished, or its rounds come to nothing: it is paused, or a round was tried often enough. */
function finished(runs: Coordinator['runs'], run: string): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      stop();
      resolve();
    };
    const stop = runs.subscribe({
      runChanged() {
        const { status } = runs.get(run);
        if (status === 'finished' || status === 'paused') over();
      },
      roundChanged({ outcome, attempt }) {
        if (outcome === 'abandoned' && attempt >= MOST_ATTEMPTS) over();
      },
      participantsChanged: () => {},
    });
  });
}

function percent(share: number): string {
  return (100 * share).toFixed(2);
}
