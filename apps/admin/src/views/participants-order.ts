import type { ParticipantRow } from '@coppice/protocol';

/** Sortable columns of the participants' table. */
export const orders = [
  'id',
  'state',
  'backend',
  'examples',
  'speed',
  'progress',
  'delivered',
  'missed',
  'bytes',
  'seen',
] as const;
export type Order = (typeof orders)[number];

export const participantStates = ['training', 'delivered', 'ready', 'paused', 'away', 'left'] as const;

const keys: Record<Order, (row: ParticipantRow) => number | string | null> = {
  id: (row) => row.id,
  state: (row) => participantStates.indexOf(row.state),
  backend: (row) => `${row.device} ${row.backend}`,
  examples: (row) => row.examplesAtLeast,
  speed: (row) => row.speed,
  progress: (row) => row.progress,
  delivered: (row) => row.roundsDelivered,
  missed: (row) => row.roundsMissed,
  bytes: (row) => row.bytesUp + row.bytesDown,
  seen: (row) => row.lastSeenAt,
};

/** Sorts participants. Unknown values come last in both directions, and equal ones in a fixed order. */
export function sortParticipants(
  rows: readonly ParticipantRow[],
  order: Order,
  descending: boolean,
): ParticipantRow[] {
  const key = keys[order];
  return rows.toSorted((a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === null || y === null) {
      if (x !== y) return x === null ? 1 : -1;
    } else if (x !== y) return x < y === descending ? 1 : -1;
    return a.id < b.id ? -1 : 1;
  });
}
