import type { AdminMessage, Event, ParticipantRow, Round, Run } from '@coppice/protocol';

/** State of the page. Plain data, replaced at every change; only the functions below change it. */
export interface AdminState {
  /** The coordinator's clock minus this device's, milliseconds. */
  readonly clockOffset: number;
  readonly operator: string;
  /** URL of the client page. */
  readonly client: string;
  readonly runs: ReadonlyMap<string, Run>;
  readonly participants: ReadonlyMap<string, readonly ParticipantRow[]>;
  /** Oldest first, without duplicates. */
  readonly events: readonly Event[];
  /** By run, oldest first; only of runs whose history was fetched, and live ones since. */
  readonly rounds: ReadonlyMap<string, readonly Round[]>;
}

export const emptyState: AdminState = {
  clockOffset: 0,
  operator: '',
  client: '',
  runs: new Map(),
  participants: new Map(),
  events: [],
  rounds: new Map(),
};

/** The most events in the page; the coordinator keeps more. */
export const EVENTS_KEPT = 2000;

export function withSnapshot(state: AdminState, snapshot: AdminMessage<'snapshot'>, now: number): AdminState {
  return {
    ...state,
    clockOffset: snapshot.now - now,
    operator: snapshot.operator,
    client: snapshot.client,
    runs: new Map(snapshot.runs.map((run) => [run.id, run])),
    participants: new Map(),
    events: snapshot.events.reduce<readonly Event[]>(addEvent, state.events),
  };
}

export function withRun(state: AdminState, run: Run): AdminState {
  return { ...state, runs: new Map(state.runs).set(run.id, run) };
}

/** Replaces the rows of the same participants; others stay. */
export function withParticipants(state: AdminState, { run, rows }: AdminMessage<'participants'>): AdminState {
  const merged = new Map((state.participants.get(run) ?? []).map((row) => [row.id, row]));
  for (const row of rows) merged.set(row.id, row);
  return { ...state, participants: new Map(state.participants).set(run, [...merged.values()]) };
}

export function withEvent(state: AdminState, event: Event): AdminState {
  return { ...state, events: addEvent(state.events, event) };
}

/** Adds rounds of one run, for any order of fetched history and live messages. */
export function withRounds(state: AdminState, run: string, rounds: readonly Round[]): AdminState {
  const merged = rounds.reduce(addRound, state.rounds.get(run) ?? []);
  return { ...state, rounds: new Map(state.rounds).set(run, merged) };
}

/** Inserts an event in order of id; a known one changes nothing. */
function addEvent(events: readonly Event[], event: Event): readonly Event[] {
  const after = events.findLastIndex(({ id }) => id <= event.id);
  if (events[after]?.id === event.id) return events;
  return events.toSpliced(after + 1, 0, event).slice(-EVENTS_KEPT);
}

/** Inserts a round by round and attempt, or replaces an older record of it. */
function addRound(rounds: readonly Round[], round: Round): readonly Round[] {
  const after = rounds.findLastIndex((known) => compareRounds(known, round) <= 0);
  const known = rounds[after];
  if (known === undefined || compareRounds(known, round) !== 0) return rounds.toSpliced(after + 1, 0, round);
  return age(round) >= age(known) ? rounds.with(after, round) : rounds;
}

function compareRounds(a: Round, b: Round): number {
  return a.round - b.round || a.attempt - b.attempt;
}

/** Age of a round's record, which grows: it is open, then over, then has federated metrics. */
function age(round: Round): number {
  if (round.outcome === 'open') return 0;
  return round.federated === null ? 1 : 2;
}
