import {
  type Event,
  type EventData,
  type EventKind,
  type FailureFacts,
  type JsonObject,
  knownEvent,
  MAX_TEXT,
} from '@coppice/protocol';

/**
 * An event with its data. Versions before typed data stored a sentence alone, or a part of the data: the missing
 * part is read from the sentence if that leaves no doubt, else the event is as it was stored.
 */
export function withData(event: Event): Event {
  if (event.data !== null && knownEvent(event) !== null) return event;
  const read = readers[event.kind as EventKind];
  if (read === undefined || !Object.hasOwn(readers, event.kind)) return event;
  // A row that stands for several begins with their number.
  const counted = typeof event.data?.['count'] === 'number' ? `${event.data['count']} more: ` : '';
  if (!event.message.startsWith(counted)) return event;
  const found = read(event.message.slice(counted.length), event.round);
  if (found === null) return event;
  const data: JsonObject = { ...event.data, ...(found as JsonObject) };
  return knownEvent({ kind: event.kind, data }) === null ? event : { ...event, data };
}

type Groups = Readonly<Record<string, string>>;
type Readers = {
  readonly [K in EventKind]?: (message: string, round: number | null) => EventData[K] | null;
};

/**
 * Reads a sentence that has this form as a whole.
 *
 * @param form with named groups; the group `round` must be the event's own round, of which the page tells.
 */
function reader<T>(form: RegExp, data: (groups: Groups) => T | null) {
  return (message: string, round: number | null): T | null => {
    const groups = message.match(form)?.groups;
    if (groups === undefined) return null;
    if (groups['round'] !== undefined && Number(groups['round']) !== round) return null;
    return data(groups);
  };
}

const number = (groups: Groups, name: string) => Number(groups[name]);
const code = (groups: Groups) => groups['code'] as string;
const detail = (text: string | undefined) => (text ?? '').slice(0, MAX_TEXT);

const readers: Readers = {
  // Of an admin's pause there is nothing to be read.
  'run-paused': reader(/^The run is paused until an admin resumes it: (?<why>.*)$/s, ({ why }) =>
    failureIn(detail(why)),
  ),
  'run-finished': reader(/^The run is finished after (?<rounds>\d+) rounds\.$/, (found) => ({
    rounds: number(found, 'rounds'),
  })),
  // The sentence named the last round, the data name the next one.
  'run-recovered': reader(
    /^The run goes on from round (?<last>\d+) after a restart of the coordinator\.$/,
    (found) => ({ next: number(found, 'last') + 1 }),
  ),
  'participant-joined': reader(
    /^A participant joined \((?<device>browser|headless), (?<backend>.{0,40})\)\.$/s,
    (found) => ({
      device: found['device'] as 'browser' | 'headless',
      backend: found['backend'] as string,
    }),
  ),
  'participant-put-out': reader(
    /^A participant was put out of the run \((?<code>[a-z-]{1,60})\)\.$/,
    (found) => ({ code: code(found) }),
  ),
  'update-declined': reader(/^A participant could not train: (?<code>[a-z-]{1,60})\.$/, (found) => ({
    code: code(found),
  })),
  'update-refused': reader(
    /^An update for round (?<round>\d+) was refused \((?<code>[a-z-]{1,60})\): (?<why>.*)$/s,
    (found) => ({ code: code(found), detail: detail(found['why']) }),
  ),
  'round-started': reader(
    /^Round (?<round>\d+) began: (?<asked>\d+) asked, (?<target>\d+) wanted\.$/,
    (found) => ({ asked: number(found, 'asked'), target: number(found, 'target') }),
  ),
  'round-recovered': reader(
    /^Round (?<round>\d+) goes on after a restart: (?<accepted>\d+) of (?<target>\d+) wanted updates were already here\.$/,
    (found) => ({ accepted: number(found, 'accepted'), target: number(found, 'target') }),
  ),
  'round-committed': reader(
    /^Round (?<round>\d+) committed · (?<accepted>\d+) of (?<asked>\d+) returned · (?<megabytes>\d+\.\d) MB( · accuracy (?<percent>\d+\.\d) %)?$/,
    (found) => ({
      accepted: number(found, 'accepted'),
      asked: number(found, 'asked'),
      // Of less than a megabyte a tenth of one says too little.
      bytes: number(found, 'megabytes') < 1 ? null : Math.round(number(found, 'megabytes') * 10) * 1e5,
      accuracy: found['percent'] === undefined ? null : Math.round(number(found, 'percent') * 10) / 1000,
    }),
  ),
  'round-abandoned': reader(
    /^Round (?<round>\d+) was abandoned, the model stays as it was: (?<why>.*)$/s,
    ({ why }) => failureIn(detail(why)),
  ),
  'spool-damaged': reader(
    /^A stored update for round \d+ could not be used \((?<code>[a-z-]{1,60})\): (?<why>.*)$/s,
    (found) => ({ code: code(found), detail: detail(found['why']) }),
  ),
  'storage-refused': reader(
    /^Storage refused a write at (?<since>\d{4}-\d\d-\d\dT[\d:.]+Z) \((?<code>[a-z-]{1,60})\), and takes writes again\.$/,
    (found) => {
      const since = Date.parse(found['since'] as string);
      return Number.isNaN(since) ? null : { code: code(found), since };
    },
  ),
};

/** The failure that a sentence without a code tells of; `null`: none that is known. */
function failureIn(why: string): EventData['round-abandoned'] | null {
  for (const read of failures) {
    const found = read(why);
    if (found !== null) return { ...found, detail: why };
  }
  return null;
}

type FoundFailure = { readonly code: string; readonly facts?: JsonObject };

const failures: readonly ((why: string) => FoundFailure | null)[] = [
  (why) => {
    const found = why.match(
      /^(\d+) of (\d+) needed updates came( before the deadline|, and too few participants are left)\.$/,
    );
    if (found === null) return null;
    const facts: FailureFacts['quorum-lost'] = {
      accepted: Number(found[1]),
      quorum: Number(found[2]),
      deadline: found[3] === ' before the deadline',
    };
    return { code: 'quorum-lost', facts };
  },
  (why) => {
    const found = why.match(/^The training diverged on (\d+) of the (\d+) devices that were asked: /);
    if (found === null) return null;
    const [diverged, asked] = [Number(found[1]), Number(found[2])];
    return { code: 'training-diverged', facts: { on: 'devices', diverged, asked } };
  },
  (why) =>
    why.startsWith('The new model has a loss that is not a number')
      ? { code: 'training-diverged', facts: { on: 'model' } }
      : null,
  // Versions before counted otherwise: the code is certain, the facts are not.
  (why) => (why.startsWith('The training diverged on ') ? { code: 'training-diverged' } : null),
  (why) => (why === 'The run was stopped by the admin.' ? { code: 'run-ended' } : null),
];
