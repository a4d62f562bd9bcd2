import { readFileSync } from 'node:fs';
import type { Round } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { Metrics } from './metrics.ts';

const round = (change: Partial<Round>): Round => ({
  run: 'toy-1',
  round: 1,
  attempt: 1,
  outcome: 'committed',
  reason: null,
  startedAt: 0,
  endedAt: 1,
  target: 1,
  asked: 1,
  accepted: 1,
  refused: 0,
  examples: 1,
  phases: { collect: 1500, commit: 20 },
  bytesUp: 100,
  bytesDown: 300,
  central: null,
  federated: null,
  trainingLoss: null,
  parent: '0'.repeat(64),
  checkpoint: null,
  cohort: [],
  ...change,
});

const sources = {
  connected: () => 3,
  remembered: () => 5,
  runs: () => [{ status: 'running' }, { status: 'running' }, { status: 'failed' }] as const,
  spoolWaiting: () => 7,
  eventsWaiting: () => 1,
  logLinesLost: () => 4,
};

describe('metrics', () => {
  it('count rounds, their phases and bytes, and tell what is waiting', async () => {
    const metrics = new Metrics(sources);
    metrics.roundEnded(round({}));
    metrics.roundEnded(round({ phases: { collect: 40_000 } }));
    metrics.roundEnded(
      round({ outcome: 'abandoned', reason: { code: 'quorum-lost', message: '' }, phases: { collect: 9 } }),
    );
    const lines = (await metrics.text()).split('\n');
    for (const line of [
      'coppice_rounds_total{outcome="committed",reason=""} 2',
      'coppice_rounds_total{outcome="abandoned",reason="quorum-lost"} 1',
      // Upper bounds in seconds; an abandoned round's phases say nothing about how long a round takes.
      'coppice_round_phase_seconds_bucket{le="1",phase="collect"} 0',
      'coppice_round_phase_seconds_bucket{le="5",phase="collect"} 1',
      'coppice_round_phase_seconds_bucket{le="60",phase="collect"} 2',
      'coppice_round_phase_seconds_sum{phase="collect"} 41.5',
      'coppice_round_bytes_total{direction="up"} 300',
      'coppice_round_bytes_total{direction="down"} 900',
      'coppice_participants_connected 3',
      'coppice_participants_remembered 5',
      'coppice_runs{status="running"} 2',
      'coppice_runs{status="failed"} 1',
      'coppice_spool_waiting 7',
      'coppice_events_waiting 1',
      'coppice_log_lines_lost_total 4',
    ]) {
      expect(lines).toContain(line);
    }
  });

  it('are all that the dashboard and its page speak of', async () => {
    const text = await new Metrics(sources).text();
    const known = new Set(
      [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, type]) =>
        type === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    );
    for (const file of ['grafana-dashboard.json', 'monitoring.md']) {
      const page = readFileSync(new URL(`../../../../docs/${file}`, import.meta.url), 'utf8');
      const named = page.match(/\b(coppice|nodejs|process)_[a-z0-9_]*[a-z0-9]\b/g) ?? [];
      expect(named.length).toBeGreaterThan(5);
      for (const name of named) if (!page.includes(`${name}_*`)) expect(known, name).toContain(name);
    }
  });
});
