import { type Coordinator, memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import { partition } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import {
  createSession,
  memoryData,
  memoryState,
  type Session,
  socketTransport,
  type Transport,
} from '@coppice/participant';
import { headlessIdentity, headlessSecret, trainerHost } from '@coppice/participant/node';
import { systemClock } from '@coppice/ports/system';
import { type Answer, type Ask, frameBytes, type PlanInputValues, type Round } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { aggregate, frame, payload, weightsHash } from '../conformance/raw-participant.ts';

/*
 * Honest participants as the product makes them: its session over its transport, its trainer, its data. What
 * stands between them and the coordinator is the test's.
 */
const PLAN = {
  cohortFraction: 1,
  overSelection: 1,
  quorum: 0.5,
  epochs: 1,
  deadlineSeconds: 20,
  graceSeconds: 5,
  seed: 7,
} satisfies PlanInputValues;

const host = trainerHost(createTrainer, ['cpu']);

interface Sent {
  readonly delta: number[];
  readonly examples: number;
}

export interface HonestWorld {
  readonly coordinator: Coordinator;
  readonly run: string;
  readonly sessions: readonly Session[];
  /** Resolves when all participants and the coordinator know that the run is over. */
  over(): Promise<void>;
  /** All rounds, abandoned ones included. */
  rounds(): Promise<Round[]>;
  /**
   * Verifies every committed round by recomputing it from the updates that its record lists as accepted.
   *
   * @returns the checkpoints, round by round.
   */
  check(): Promise<string[]>;
  close(): Promise<void>;
}

/**
 * @param least participants that a round needs to begin.
 * @param between returns the URL for participants, in place of the coordinator's own.
 */
export async function honestWorld(
  { participants, rounds, least }: { participants: number; rounds: number; least: number },
  between: (url: string) => Promise<string> = async (url) => url,
): Promise<HonestWorld> {
  const coordinator = await startCoordinator({
    config: { port: 0, logLevel: 'silent' },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
  const url = await between(coordinator.url);
  const plan = { ...PLAN, rounds, minParticipants: least };
  const { id: run } = await coordinator.runs.create('iris', plan, true);
  const { train } = await loadTaskData('iris');
  const width = train.features.length / train.count;
  const shares = partition(train.labels, participants, { kind: 'iid' }, 7);
  const models = new Map<string, number[]>();
  const updates = new Map<string, Sent>();
  /** Questions to train, by ticket. */
  const asked = new Map<string, { round: number; parent: string }>();
  const conflicts: string[] = [];

  /** The production transport, with every outgoing update and every incoming model inspected. */
  const watched = (transport: Transport, who: () => string): Transport => ({
    ...transport,
    get traffic() {
      return transport.traffic;
    },
    open: (events) =>
      transport.open({
        ...events,
        onMessage(name, message) {
          if (name === 'ask') {
            const ask = message as Ask;
            const [model] = ask.parcels;
            if (model !== undefined) models.set(model.hash, payload(frameBytes(model.frame)));
            if (ask.kind === 'train' && model !== undefined)
              asked.set(ask.ticket, { round: ask.round, parent: model.hash });
          }
          events.onMessage(name, message);
        },
      }),
    request(name, message) {
      const question = name === 'answer' ? asked.get((message as Answer).ticket) : undefined;
      if (question !== undefined) {
        const { weight: examples, frame: bytes } = message as Answer;
        const { round, parent } = question;
        // The model's change comes first; what was measured follows.
        const delta = payload(frameBytes(bytes)).slice(0, models.get(parent)?.length);
        const sent = { delta, examples };
        const key = `${who()} ${round} ${parent}`;
        const before = updates.get(key);
        // An update that is sent again must be the same, whatever was lost.
        if (before !== undefined && JSON.stringify(before) !== JSON.stringify(sent)) conflicts.push(key);
        updates.set(key, sent);
      }
      return transport.request(name, message);
    },
  });

  const sessions = shares.map((rows, i) => {
    const examples = {
      count: rows.length,
      features: Float32Array.from(
        [...rows].flatMap((row) => [...train.features.subarray(row * width, (row + 1) * width)]),
      ),
      labels: Float32Array.from(rows, (row) => train.labels[row] as number),
    };
    const session: Session = createSession({
      transport: watched(
        socketTransport(url, headlessIdentity(`honest-${i}`)),
        () => session.state.participant as string,
      ),
      host,
      openData: async (_task, schema) => memoryData(schema, examples),
      splitSecret: headlessSecret(`honest-${i}`),
      // All participants' dates are wrong.
      clock: { ...systemClock, now: () => systemClock.now() + (i - 1.5) * 36_000_000 },
      device: 'headless',
      backend: 'cpu',
      keepModels: false,
      localState: memoryState(),
    });
    session.connect();
    // There is no connection yet: this says which run is wanted.
    void session.join(run);
    return session;
  });

  const committed = async () =>
    (await coordinator.storage.rounds(run))
      .filter(({ outcome }) => outcome === 'committed')
      .toSorted((a, b) => a.round - b.round);

  return {
    coordinator,
    run,
    sessions,
    async over() {
      await Promise.all([finished(coordinator, run), ...sessions.map(ended)]);
    },
    rounds: () => coordinator.storage.rounds(run),
    async check() {
      const checkpoints: string[] = [];
      for (const { round, parent, checkpoint, accepted, cohort, examples } of await committed()) {
        const counted = cohort
          .filter(({ outcome }) => outcome === 'accepted')
          .map(({ participant }) => updates.get(`${participant} ${round} ${parent}`));
        if (counted.length !== accepted || counted.some((one) => one === undefined))
          throw new Error(`round ${round}: ${accepted} accepted, of ${counted.length} that were sent`);
        const sum = (counted as Sent[]).reduce((total, one) => total + one.examples, 0);
        if (sum !== examples)
          throw new Error(`round ${round}: ${examples} examples were counted, ${sum} sent`);
        const next = aggregate(models.get(parent) as number[], counted as Sent[]);
        const foretold = weightsHash(frame(1, new Uint8Array(16), next).subarray(40));
        if (foretold !== checkpoint) throw new Error(`round ${round}: ${checkpoint} in place of ${foretold}`);
        checkpoints.push(foretold);
      }
      if (conflicts.length > 0) throw new Error(`sent again, and not the same: ${conflicts.join(', ')}`);
      return checkpoints;
    },
    async close() {
      for (const session of sessions) session.close();
      await coordinator.close();
    },
  };
}

function finished({ runs }: Coordinator, run: string): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (runs.get(run).status !== 'finished') return;
      stop();
      resolve();
    };
    const stop = runs.subscribe({ runChanged: look, roundChanged: () => {}, participantsChanged: () => {} });
    look();
  });
}

/** Resolves when a participant knows that its run is over. */
function ended(session: Session): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (session.state.activity.kind !== 'ended') return;
      stop();
      resolve();
    };
    const stop = session.subscribe(look);
    look();
  });
}
