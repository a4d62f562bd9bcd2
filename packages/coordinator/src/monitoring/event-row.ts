import {
  type EventData,
  type EventKind,
  type JsonObject,
  type KnownEvent,
  MAX_TEXT,
} from '@coppice/protocol';
import type { EventToStore } from '../storage/storage.ts';
import type { NewEvent } from './new-event.ts';

/** An event in its stored form, with an English sentence made from its data. */
export function eventRow(event: NewEvent, at: number): EventToStore {
  const { run, round, level, kind, participant, count } = event;
  const data: JsonObject = {
    ...(participant === undefined ? {} : { participant }),
    ...event.data,
    ...(count === undefined ? {} : { count }),
  };
  const more = count === undefined ? '' : `${count} more: `;
  const message = `${more}${sentenceOf(event, event)}`.slice(0, 2 * MAX_TEXT);
  return { at, run, round, level, kind, message, data: Object.keys(data).length === 0 ? null : data };
}

interface Place {
  readonly run: string | null;
  readonly round: number | null;
}

function sentenceOf<K extends EventKind>({ kind, data }: KnownEvent<K>, place: Place): string {
  return sentences[kind](data, place);
}

const firingEnds: Record<
  EventData['firing-ended']['outcome'],
  (candidate: string, checks: string) => string
> = {
  released: (candidate) => `${candidate} is in production.`,
  refused: (candidate, checks) =>
    checks === ''
      ? `${candidate} was refused, since too few participants could compare it.`
      : `${candidate} was refused by the comparison (${checks}).`,
  'rolled-back': (candidate) => `the canary ${candidate} was taken back. Production stays as it was.`,
  'budget-spent': () =>
    'the privacy budget has no room for a comparison. Production stays as it was; a policy with a larger epsilon goes on.',
  'run-paused': () => 'the coordinator paused its run, which was stopped. Production stays as it was.',
  'run-stalled': () => 'its run made no round for too long and was stopped. Production stays as it was.',
  'run-ended': () => 'its run made no model that can be released. Production stays as it was.',
  overtaken: () => 'an admin moved a channel meanwhile. Production stays as the admin left it.',
};

const sentences: { readonly [K in EventKind]: (data: EventData[K], place: Place) => string } = {
  'run-created': (_, { run }) => `The run ${run} was created.`,
  'run-running': () => 'The run is running.',
  'run-paused': ({ code, detail }) =>
    code === undefined
      ? 'The run is paused: the open round ends, no other begins.'
      : `The run is paused until an admin resumes it: ${detail}`,
  'run-stopped': ({ detail }) =>
    detail === undefined ? 'The run was stopped.' : `The run was stopped by the coordinator: ${detail}`,
  'run-finished': ({ rounds }) => `The run is finished after ${rounds} rounds.`,
  'run-recovered': ({ next }) => `The run goes on with round ${next} after a restart of the coordinator.`,
  'participant-joined': ({ device, backend }) => `A participant joined (${device}, ${backend}).`,
  'participant-left': () => 'A participant left.',
  'participant-put-out': ({ code }) => `A participant was put out of the run (${code}).`,
  'participant-events': () =>
    'A participant caused events of too many kinds; they were counted, not written.',
  'update-refused': ({ code, detail }, { round }) =>
    `An update for round ${round} was refused (${code}): ${detail}`,
  'update-declined': ({ code }) => `A participant could not train: ${code}.`,
  'scaling-agreed': ({ participants, examples }) =>
    `The scaling of the task's columns was agreed by ${participants} participants, from ${examples} examples.`,
  'scaling-failed': ({ detail }) =>
    `The participants could not agree on a scaling, and are asked again: ${detail}`,
  'round-started': ({ asked, target }, { round }) =>
    `Round ${round} began: ${asked} asked, ${target} wanted.`,
  'round-recovered': ({ accepted, target }, { round }) =>
    `Round ${round} goes on after a restart: ${accepted} of ${target} wanted updates were already here.`,
  'round-ended-by-admin': (_, { round }) => `Round ${round} was ended by the admin.`,
  'round-committed': ({ accepted, asked, bytes, accuracy }, { round }) => {
    const moved = bytes === null ? '' : ` · ${(bytes / 1e6).toFixed(1)} MB`;
    const measured = accuracy === null ? '' : ` · accuracy ${(accuracy * 100).toFixed(1)} %`;
    return `Round ${round} committed · ${accepted} of ${asked} returned${moved}${measured}`;
  },
  'updates-shortened': ({ accepted, capped, scaled }, { round }) => {
    const parts = [
      ...(capped === 0 ? [] : [`${capped} counted at the weight cap`]),
      ...(scaled === 0 ? [] : [`${scaled} were scaled down to the norm bound`]),
    ];
    return `Round ${round}: of ${accepted} updates ${parts.join(', ')}.`;
  },
  'variances-kept': ({ variances }, { round }) =>
    `Round ${round} would have made ${variances} running variances of the model negative; they are 0. An update held averages that no data has.`,
  'federated-loss-null': ({ examples }, { round }) =>
    `Most participants could tell no finite loss of the model of round ${round}, on ${examples} examples held out in all. The training has diverged, or updates spoiled the model.`,
  'round-abandoned': ({ detail }, { round }) =>
    `Round ${round} was abandoned, the model stays as it was: ${detail}`,
  'spool-damaged': ({ code, detail }) =>
    `Stored updates of the open round could not be used (${code}): ${detail}`,
  'release-moved': ({ task, channel, checkpoint, undone, by, firing, reason }) => {
    const to = checkpoint === null ? 'was emptied' : `${undone ? 'is back at' : 'names'} ${checkpoint}`;
    const author = firing === undefined ? by || 'an unnamed admin' : `the trigger (${by}, firing ${firing})`;
    return `The channel ${channel} of ${task} ${to}, by ${author}: ${reason}`;
  },
  'firing-began': ({ task, firing, causes, production }) =>
    `The trigger of ${task} fired (firing ${firing}: ${causes.join(', ')}). A run begins from ${production}.`,
  'launch-hindered': ({ task, causes, hindrances }) =>
    `The trigger of ${task} has a cause (${causes.join(', ')}) and launches nothing: ${hindrances.join(', ')}.`,
  'canary-began': ({ task, firing, candidate, share }) =>
    `Firing ${firing} of ${task}: ${(100 * share).toFixed(0)} % of the participants get ${candidate}, beside a control group of the same size.`,
  'firing-ended': ({ task, firing, outcome, candidate, checks }) =>
    `Firing ${firing} of ${task} ended: ${firingEnds[outcome](candidate ?? 'none', checks.join(', '))}`,
  'drift-alarm': ({ task, period, participants, alarms, tested, role, name, effect }) =>
    `Period ${period} of ${task}: ${alarms} of ${tested} distributions drifted, among ${participants} participants. The worst is ${role === 'input' ? `the column "${name}"` : `the ${role}`}, with an effect of ${effect.toFixed(2)}.`,
  'data-quality-alarm': ({ task, period, participants, name, fault, reference, current }) =>
    `Period ${period} of ${task}: ${(100 * current).toFixed(1)} % of the values of "${name}" are ${{ missing: 'missing', outside: 'beyond the plausible range', other: 'of no listed category' }[fault]}, where it was ${(100 * reference).toFixed(1)} %, among ${participants} participants. Look for a broken source of data.`,
  'privacy-budget-spent': ({ task, epsilon, budget, delta }) =>
    `The task ${task} is not watched any more: ε = ${epsilon.toFixed(2)} of its privacy budget of ${budget} at δ = ${delta} is spent, and the next sum would cost more than is left.`,
  'storage-failed': ({ detail }) => detail,
  'storage-refused': ({ code, since }) =>
    `Storage refused a write at ${new Date(since).toISOString()} (${code}), and takes writes again.`,
};
