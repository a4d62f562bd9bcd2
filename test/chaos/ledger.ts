import { existsSync, readFileSync } from 'node:fs';

/** A run as a coordinator finds it right after its start. */
export interface FoundRun {
  readonly committed: number;
  /** The open round, with the participants whose updates count in it. */
  readonly open: { readonly round: number; readonly participants: readonly string[] } | null;
}

/** A coordinator's records of itself, life after life. */
export type LedgerLine =
  /** A life is ready to serve. One that dies before has promised nothing. */
  | { readonly event: 'ready'; readonly runs: Readonly<Record<string, FoundRun>> }
  /** An update is on disk and is about to be acknowledged. */
  | { readonly event: 'kept'; readonly run: string; readonly round: number; readonly participant: string };

export function readLedger(path: string): LedgerLine[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as LedgerLine);
}

/** Updates that were acknowledged, and that a later life has neither committed nor counted in its open round. */
export function brokenPromises(lines: readonly LedgerLine[]): string[] {
  const broken: string[] = [];
  /** Acknowledged participants of each run's newest round. */
  const kept = new Map<string, { round: number; participants: Set<string> }>();
  let life = 0;
  for (const line of lines) {
    if (line.event === 'kept') {
      const open = kept.get(line.run);
      if (open?.round === line.round) open.participants.add(line.participant);
      else kept.set(line.run, { round: line.round, participants: new Set([line.participant]) });
      continue;
    }
    life++;
    for (const [run, { round, participants }] of kept) {
      const found = line.runs[run];
      if ((found?.committed ?? 0) >= round) continue;
      const counted = found?.open?.round === round ? found.open.participants : [];
      for (const participant of participants) {
        if (!counted.includes(participant))
          broken.push(`life ${life}: the update of ${participant} for round ${round} of ${run} is gone`);
      }
    }
  }
  return broken;
}
