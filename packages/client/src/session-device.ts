import type { OpenLocalData, OutboundRecord, Session } from '@coppice/participant';
import { createBrowserParticipant } from '@coppice/participant/browser';
import { systemClock } from '@coppice/ports/system';
import { createTrainer } from '@coppice/training';
import type { Device, DeviceEvent, Sent } from './device.ts';
import { type DeviceReadings, deviceReadings, type Hints } from './readings.ts';
import { Requests } from './requests.ts';
import { TermsOfRuns } from './run-terms.ts';
import { type PartState, TakingPart } from './taking-part.ts';

/** Opens this browser's device at a coordinator: its identity, its examples, its counts and a connection. */
export async function openSessionDevice(url: string): Promise<Device> {
  const participant = await createBrowserParticipant({ url, createTrainer, device: 'browser' });
  participant.session.connect();
  return sessionDevice({
    url,
    session: participant.session,
    openData: participant.openData,
    close: () => participant.close(),
  });
}

export interface SessionDeviceOptions {
  /** The coordinator, without a slash at its end. */
  readonly url: string;
  readonly session: Session;
  readonly openData: OpenLocalData;
  /** Ends the session, where it is the device's own. */
  readonly close: () => void;
}

/** A session as a device. */
export function sessionDevice({ url, session, openData, close }: SessionDeviceOptions): Device {
  const parts = new Set<(event: DeviceEvent) => void>();
  const told = (task: string, state: PartState | null) => {
    for (const heard of [...parts]) heard({ kind: 'part', task, state });
  };
  // Readings are taken from the first part in a run on.
  let part: {
    readonly taking: TakingPart;
    readonly readings: DeviceReadings;
    readonly end: () => void;
  } | null = null;
  const opened = () => {
    part ??= openPart(url, session, told);
    return part.taking;
  };
  return {
    async add(task, { data, features, label, source }) {
      const own = await openData(task, data);
      try {
        await own.add({ count: 1, features, labels: Float32Array.of(label) }, source);
      } finally {
        own.close();
      }
      await session.dataChanged();
    },
    takePart: async (task, how) => opened().takePart(task, how),
    leave: async (task) => part?.taking.leave(task),
    active: () => part?.readings.active(),
    monitor: (task, how) => session.monitor(task, how),
    unmonitor: async (task) => session.unmonitor(task),
    observe: async (task, prediction) => session.observe(task, prediction),
    outcome: (task, id, label) => session.outcome(task, id, label),
    save: () => session.save(),
    close() {
      part?.end();
      close();
    },
    subscribe(heard) {
      parts.add(heard);
      let before: Seen = {
        releases: {},
        monitored: {},
        runs: [],
        outbound: session.state.outbound,
      };
      const look = (now: Session['state']) => {
        const last = before;
        before = now;
        for (const event of changes(last, now)) heard(event);
      };
      look(session.state);
      const stop = session.subscribe(look);
      return () => {
        parts.delete(heard);
        stop();
      };
    },
  };
}

function openPart(url: string, session: Session, told: (task: string, state: PartState | null) => void) {
  const closing = new AbortController();
  const requests = new Requests({
    request: (...request) => fetch(...request),
    clock: systemClock,
    signal: closing.signal,
  });
  const terms = new TermsOfRuns(url, requests);
  const readings = deviceReadings({
    clock: systemClock,
    page: (globalThis.document as Document | undefined) ?? null,
    hints: ((globalThis.navigator as Navigator | undefined) ?? {}) as Hints,
  });
  const taking = new TakingPart({
    session,
    terms: (task, run) => terms.versionOf(task, run),
    readings,
    clock: systemClock,
    told,
  });
  const end = () => {
    closing.abort();
    taking.close();
    readings.close();
  };
  return { taking, readings, end };
}

type Seen = Pick<Session['state'], 'releases' | 'monitored' | 'outbound' | 'runs'>;

function changes(before: Seen, now: Seen): DeviceEvent[] {
  const events: DeviceEvent[] = [];
  for (const task of tasksOf(before.releases, now.releases))
    if (before.releases[task] !== now.releases[task])
      events.push({ kind: 'release', task, news: now.releases[task] ?? null });
  for (const task of tasksOf(before.monitored, now.monitored))
    if (before.monitored[task] !== now.monitored[task])
      events.push({ kind: 'monitored', task, state: now.monitored[task] ?? null });
  if (before.outbound !== now.outbound) {
    // The log has the last messages alone, the newest last.
    const known = now.outbound.lastIndexOf(before.outbound.at(-1) as OutboundRecord);
    for (const record of now.outbound.slice(known + 1)) {
      const { task, run } = record.fields;
      const of = typeof task === 'string' ? task : now.runs.find(({ id }) => id === run)?.task;
      events.push({ kind: 'sent', task: of ?? null, sent: sentOf(record) });
    }
  }
  return events;
}

function tasksOf(before: object, now: object): Set<string> {
  return new Set([...Object.keys(before), ...Object.keys(now)]);
}

/** What the messages of a page tell that monitors or takes part. */
const tells: Readonly<Record<string, string>> = {
  join: 'That this device takes part in a run, with how many examples, and on which kind of device.',
  availability: 'How many examples there are, and whether this device trains now.',
  progress: 'How far training is, and how fast.',
  decline: 'That this device does not answer a question now, and why.',
  update:
    'What training on the examples of this device changed in the numbers of the model, how many examples these are, and how well the model did on them.',
  measures: "How well a model did on this device's held-out examples, and how many these are.",
  offer:
    'That this device answers questions about the predictions of the task, and the consent that was given.',
  report:
    "Shares of this device's predictions since its last report, by column and by answer, and their mean error where outcomes came.",
  statistics:
    "Shares of this device's own examples, by column and by label, and of the model's answers to them; means and mean squares of numbers.",
  comparison: "How often each of two models was right about this device's held-out examples.",
};

function kindOf({ name, question, norm }: OutboundRecord): string {
  if (name === 'monitor') return 'offer';
  if (name !== 'answer') return name;
  if (question !== undefined) return question === 'compare' ? 'comparison' : question;
  return norm === undefined ? 'measures' : 'update';
}

function sentOf(record: OutboundRecord): Sent {
  const { bytes } = record;
  const kind = kindOf(record);
  return { kind, bytes, tells: tells[kind] ?? `The message "${record.name}" of the protocol.` };
}
