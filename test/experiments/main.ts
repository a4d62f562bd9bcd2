import { fedavgMnist } from './fedavg-mnist.ts';

/** `pnpm experiment`: repeats the experiments behind docs/results. Takes an hour or so; goes on where it was stopped. */
await fedavgMnist();
