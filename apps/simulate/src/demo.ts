import { setTimeout as after } from 'node:timers/promises';
import { readConfig, startCoordinator, stopOnSignals } from '@coppice/coordinator';
import {
  print,
  Starter,
  standardError,
  standardOutput,
  surviveBrokenStreams,
} from '@coppice/coordinator/process';
import { CoppiceError } from '@coppice/protocol';
import { buildPages } from '../../../tools/build-pages.ts';
import { CoordinatorLink } from './coordinator-link.ts';
import { DEVICES, Devices, OWN } from './demo/devices.ts';
import { readPace, TASK } from './demo/pace.ts';
import { Story } from './demo/story.ts';

/*
 * `pnpm demo`: a coordinator, headless devices that train a model of MNIST, use it and report, and digits that change; browsers can
 * join at any time. Takes the flags of `pnpm start`.
 */

/** Milliseconds between two looks at the coordinator. */
const LOOK_EVERY = 500;

const HELP = `Usage: pnpm demo [the flags of pnpm start]

Simulated devices train a model, which is released and monitored; then their data change. With the same data folder the demo
goes on. Each period adds about 11 kB to that folder.

  COPPICE_DEMO_SHORT=1   fewer rounds and shorter periods: about half a minute to the second release
`;

const ended = new AbortController();

const say = (line: string) => standardOutput.write(`${line}\n`);

async function main(): Promise<void> {
  surviveBrokenStreams();
  const starter = new Starter();
  const config = readConfig(process.argv.slice(2), {
    COPPICE_OPERATOR: 'the Coppice demo on this computer',
    // The story is told in words; the log would tell it again.
    COPPICE_LOG_LEVEL: 'error',
    ...process.env,
  });
  if (config === 'help') {
    process.exitCode = await print(HELP);
    return;
  }
  say('Building the pages where they changed …');
  await buildPages();
  const coordinator = await startCoordinator({ config });
  const link = new CoordinatorLink(coordinator.url, coordinator.adminKey);
  const devices = new Devices();
  const close = async () => {
    ended.abort();
    link.close();
    await Promise.all([devices.close(), coordinator.close()]);
  };
  stopOnSignals({ close }, { starter });
  const pause = () => after(LOOK_EVERY, undefined, { signal: ended.signal });
  const failed = (message: string) => {
    if (!ended.signal.aborted) standardError.write(`${message}\n`);
  };
  const story = await Story.of({
    coordinator,
    link,
    devices,
    pace: readPace(process.env),
    say,
    failed,
    pause,
  });
  await devices.begin(coordinator.url, story.isTurned);
  const run = await story.run();
  say(`\n${DEVICES} devices with ${OWN} handwritten digits each, in one thread of this computer.\n`);
  say(`  Join in a browser            ${coordinator.client}?run=${run.id}`);
  say(`  Monitoring and retraining    ${coordinator.admin}#monitoring=${TASK}\n`);
  say(
    config.adminKey !== null || !coordinator.admin.includes('?key=')
      ? 'Keep the second link to yourself. Stop with Ctrl+C.\n'
      : 'The second link opens once; "pnpm admin-key" prints another. Stop with Ctrl+C.\n',
  );
  await story.tell(run);
}

main().catch((thrown: unknown) => {
  // An action that failed because the coordinator ended is no failure.
  if (ended.signal.aborted) return;
  const error = CoppiceError.from(thrown);
  standardError.write(`${error.message} [${error.code}]\n`);
  process.exit(error.code === 'config-invalid' ? 2 : 1);
});
