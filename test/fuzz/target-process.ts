import { type Config, startCoordinator, stopOnSignals } from '@coppice/coordinator';

/*
 * A coordinator in a process of its own, as `pnpm start` makes one, so that its end would be seen; and that
 * says how much memory it holds once what can be freed is freed.
 */
const coordinator = await startCoordinator({
  config: JSON.parse(process.argv[2] as string) as Partial<Config>,
});
stopOnSignals(coordinator);
process.on('disconnect', () => process.exit(0));
process.on('message', () => {
  for (let pass = 0; pass < 3; pass++) globalThis.gc?.();
  process.send?.(process.memoryUsage());
});
process.send?.({ url: coordinator.url });
