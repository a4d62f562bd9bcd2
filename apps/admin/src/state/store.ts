import type { AdminMessage, Checkpoint, Event, ParticipantRow, Round, Run, TaskInfo } from '@coppice/protocol';
import { computed, signal } from '@preact/signals';
import { withRound, withRounds } from './rounds.ts';
import { route } from './route.ts';

/** What the page knows. The live link and a few requests write it; the views only read. */
export const runs = signal<ReadonlyMap<string, Run>>(new Map());
export const participants = signal<ReadonlyMap<string, readonly ParticipantRow[]>>(new Map());
export const rounds = signal<ReadonlyMap<string, readonly Round[]>>(new Map());
export const checkpoints = signal<ReadonlyMap<string, readonly Checkpoint[]>>(new Map());
export const tasks = signal<readonly TaskInfo[] | null>(null);
/** Oldest first. */
export const events = signal<readonly Event[]>([]);
/** The address of the client page, as participants reach it. */
export const client = signal('');
export const operator = signal('');
/** How many snapshots have come: 0 before the first, and one more for each reconnection. */
export const snapshots = signal(0);
/** The coordinator's clock minus this device's, in milliseconds. */
export const clockOffset = signal(0);

/** More than a person reads; the coordinator keeps all of them. */
const MOST_EVENTS = 2000;

/** Newest first. */
export const runList = computed(() =>
  [...runs.value.values()].sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1)),
);

/** The run that the address names; without a name the newest one. */
export const selected = computed<Run | null>(() => {
  if (route.value.view !== 'run') return null;
  const { run } = route.value;
  return run === null ? (runList.value[0] ?? null) : (runs.value.get(run) ?? null);
});
export const selectedId = computed(() => selected.value?.id ?? null);

export function takeSnapshot(snapshot: AdminMessage<'snapshot'>): void {
  clockOffset.value = snapshot.now - Date.now();
  client.value = snapshot.client;
  operator.value = snapshot.operator;
  runs.value = new Map(snapshot.runs.map((run) => [run.id, run]));
  participants.value = Map.groupBy(snapshot.participants, (row) => row.run);
  events.value = snapshot.events.toSorted((a, b) => a.id - b.id);
  snapshots.value += 1;
}

export function takeRun(run: Run): void {
  runs.value = new Map(runs.value).set(run.id, run);
}

export function takeRound(round: Round): void {
  const history = rounds.value.get(round.run) ?? [];
  rounds.value = new Map(rounds.value).set(round.run, withRound(history, round));
}

export function takeHistory(run: string, history: readonly Round[]): void {
  rounds.value = new Map(rounds.value).set(run, withRounds(rounds.value.get(run) ?? [], history));
}

export function takeCheckpoints(run: string, list: readonly Checkpoint[]): void {
  checkpoints.value = new Map(checkpoints.value).set(run, list);
}

export function takeParticipants({ run, rows }: AdminMessage<'participants'>): void {
  participants.value = new Map(participants.value).set(run, rows);
}

export function takeEvent(event: Event): void {
  if (events.value.some(({ id }) => id === event.id)) return;
  events.value = [...events.value, event].slice(-MOST_EVENTS);
}
