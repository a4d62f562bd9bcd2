import { existsSync, readFileSync } from 'node:fs';

/** A run as a coordinator knows it right after its start. */
export interface FoundRun {
  readonly committed: number;
  /** Whose updates are counted in the open round. */
  readonly open: { readonly round: number; readonly participants: readonly string[] } | null;
}

/** What a coordinator wrote down of itself, life after life. */
export type LedgerLine =
  /** A life is ready to serve. One that dies before that promises nothing and is not asked. */
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

/** Updates that were promised, and that a later life neither had committed nor counts in its open round. */
export function brokenPromises(lines: readonly LedgerLine[]): string[] {
  const broken: string[] = [];
  /** Of each run: who was promised what in its newest round. */
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
