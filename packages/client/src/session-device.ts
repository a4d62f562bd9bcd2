import type { OutboundRecord, Session } from '@coppice/participant';
import { createBrowserParticipant } from '@coppice/participant/browser';
import { createTrainer } from '@coppice/training';
import type { Device, DeviceEvent, Sent } from './device.ts';

/** Opens this browser's device at a coordinator: its identity, its examples, its counts and a connection. */
export async function openSessionDevice(url: string): Promise<Device> {
  const participant = await createBrowserParticipant({ url, createTrainer, device: 'browser' });
  participant.session.connect();
  return sessionDevice(participant.session, () => participant.close());
}

/** A session as a device. @param close ends it. */
export function sessionDevice(session: Session, close: () => void): Device {
  return {
    monitor: (task, how) => session.monitor(task, how),
    unmonitor: async (task) => session.unmonitor(task),
    observe: async (task, prediction) => session.observe(task, prediction),
    outcome: (task, id, label) => session.outcome(task, id, label),
    save: () => session.save(),
    close,
    subscribe(heard) {
      let before: Pick<Session['state'], 'releases' | 'monitored' | 'outbound'> = {
        releases: {},
        monitored: {},
        outbound: session.state.outbound,
      };
      const look = (now: Session['state']) => {
        const last = before;
        before = now;
        for (const event of changes(last, now)) heard(event);
      };
      look(session.state);
      return session.subscribe(look);
    },
  };
}

type Seen = Pick<Session['state'], 'releases' | 'monitored' | 'outbound'>;

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
      const { task } = record.fields;
      events.push({ kind: 'sent', task: typeof task === 'string' ? task : null, sent: sentOf(record) });
    }
  }
  return events;
}

function tasksOf(before: object, now: object): Set<string> {
  return new Set([...Object.keys(before), ...Object.keys(now)]);
}

/** What the messages of a page that monitors tell. */
const tells: Readonly<Record<string, string>> = {
  offer:
    'That this device answers questions about the predictions of the task, and the consent that was given.',
  report:
    "Shares of this device's predictions since its last report, by column and by answer, and their mean error where outcomes came.",
  statistics: "Shares of this device's own examples, by column, and of the model's answers to them.",
  comparison: "How often each of two models was right about this device's held-out examples.",
};

function sentOf({ name, bytes, question }: OutboundRecord): Sent {
  const kind = name === 'monitor' ? 'offer' : question === 'compare' ? 'comparison' : (question ?? name);
  return { kind, bytes, tells: tells[kind] ?? `The message "${name}" of the protocol.` };
}
