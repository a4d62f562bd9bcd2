import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { noLimits, startCoordinator } from '@coppice/coordinator';
import type { FromCoordinator, ToCoordinator } from './messages.ts';
import { StallMeter } from './stall-meter.ts';

/* A coordinator as it is, evaluation and all, in a process that tells of its time, memory and stalls. */
const folder = mkdtempSync(join(tmpdir(), 'coppice-load-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const coordinator = await startCoordinator({
  config: { ...noLimits, port: 0, dataDir: folder, logLevel: 'error' },
});

const meter = new StallMeter('starting');
/** Phase of the test; the end of a round takes precedence. */
let phase = meter.phase;
const ending: ReadonlySet<string> = new Set(['aggregate', 'evaluate', 'commit']);
coordinator.runs.subscribe({
  runChanged() {},
  participantsChanged() {},
  roundChanged(round) {
    const last = Object.keys(round.phases).at(-1);
    const applying = round.outcome === 'open' && (last === 'collect' || ending.has(last ?? ''));
    const now = applying ? 'applying' : phase;
    if (now !== meter.phase) meter.enter(now);
  },
});

const tell = (message: FromCoordinator) => process.send?.(message);
process.on('message', async (message: ToCoordinator) => {
  if (message.kind === 'phase') {
    phase = message.phase;
    meter.enter(phase);
    tell({ kind: 'phase' });
    return;
  }
  // Objects released by the first collection are freed by later ones.
  if (message.collectGarbage)
    for (let i = 0; i < 3; i++) {
      globalThis.gc?.();
      await wait(100);
    }
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  tell({
    kind: 'usage',
    cpu: (user + system) / 1000,
    peak: process.resourceUsage().maxRSS * 1024,
    resident: rss,
    heap: heapUsed,
    external,
    stalls: meter.stalls(),
  });
});
process.on('disconnect', () => process.exit(0));
tell({ kind: 'ready', url: coordinator.url, key: coordinator.adminKey });
