import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ModelWorker, noLimits, startCoordinator, threadedModels } from '@coppice/coordinator';
import { serveMeasurements } from './child.ts';

/* A coordinator with everything a round has but central evaluation, which is a model's cost, not a round's. */
const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const real = threadedModels();
const models: ModelWorker = { ...real, evaluate: () => Promise.resolve(null) };
const coordinator = await startCoordinator({
  config: { ...noLimits, port: 0, dataDir: folder, logLevel: 'error' },
  models,
});
serveMeasurements(coordinator.url, { key: coordinator.adminKey });
