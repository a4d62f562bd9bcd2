import { runs, variants } from '@coppice/kernels';
import { trainerContract } from '../contract.ts';
import { createPlannedTrainer } from './planned-trainer.ts';

for (const variant of variants.filter(runs)) {
  trainerContract(`planned, ${variant}`, (description, seed) =>
    createPlannedTrainer(description, { seed, variant }),
  );
}
