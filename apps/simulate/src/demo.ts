import { availableParallelism } from 'node:os';
import { readConfig, startCoordinator, stopOnSignals } from '@coppice/coordinator';
import {
  print,
  Starter,
  standardError,
  standardOutput,
  surviveBrokenStreams,
} from '@coppice/coordinator/process';
import { parsePartition, partition, selectExamples } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import { CoppiceError, type Run } from '@coppice/protocol';
import { buildPages } from '../../../tools/build-pages.ts';
import { ClientThreads } from './client-threads.ts';
import { CoordinatorLink } from './coordinator-link.ts';

/*
 * `pnpm demo`: a coordinator, a run of MNIST, eight headless participants, and the door open for
 * browsers to join the same run. Takes the flags of `pnpm start`.
 */
const TASK = 'mnist-2nn';
const CLIENTS = 8;
/** Enough for each client to learn from, few enough for rounds of a second or two. */
const EXAMPLES_EACH = 600;
const ROUNDS = 200;

let stopping = false;

const say = (line: string) => standardOutput.write(`${line}\n`);

async function main(): Promise<void> {
  surviveBrokenStreams();
  const starter = new Starter();
  const config = readConfig(process.argv.slice(2), {
    COPPICE_OPERATOR: 'the Coppice demo on this computer',
    ...process.env,
  });
  if (config === 'help') {
    process.exitCode = await print('Usage: pnpm demo [the flags of pnpm start]\n');
    return;
  }
  say('Building the pages where they changed …');
  await buildPages();
  const coordinator = await startCoordinator({ config });
  const link = new CoordinatorLink(coordinator.url, coordinator.adminKey);
  // One thread is enough for the pace of a demo, and leaves the others to browsers.
  const threads = new ClientThreads(Math.max(1, Math.min(2, availableParallelism() - 1)));
  const close = async () => {
    stopping = true;
    link.close();
    await Promise.all([threads.close(), coordinator.close()]);
  };
  stopOnSignals({ close }, { starter });
  // A demo that was stopped goes on with the run it had, rather than leaving it waiting for ever.
  const begun = coordinator.runs.all().find(({ task, status }) => task === TASK && status === 'running');
  const run = begun ?? (await createRun(link));
  await startClients(threads, coordinator.url, run.id);
  say(
    `\nRun ${run.id}: ${CLIENTS} headless participants with ${EXAMPLES_EACH} handwritten digits each, ${ROUNDS} rounds.\n`,
  );
  say(`  Take part in a browser   ${coordinator.client}?run=${run.id}`);
  say(`  Watch and steer          ${coordinator.admin}\n`);
  say(
    config.adminKey !== null || !coordinator.admin.includes('?key=')
      ? 'Keep your way in to the second page to yourself. Stop with Ctrl+C.\n'
      : 'The second link opens once; "pnpm admin-key" prints another. Stop with Ctrl+C.\n',
  );
  link.watch(
    run.id,
    {
      onRound: (round) => {
        if (round.outcome !== 'committed' || round.federated !== null) return;
        const accuracy = round.central?.accuracy ?? 0;
        const bar = '█'.repeat(Math.round(accuracy * 30)).padEnd(30, '·');
        const seconds = (((round.endedAt ?? round.startedAt) - round.startedAt) / 1000).toFixed(1);
        say(
          `round ${String(round.round).padStart(3)}  ${bar} ${(accuracy * 100).toFixed(1)} %   ${round.accepted} of ${round.asked} updates, ${seconds} s`,
        );
      },
      onRun: ({ status }) => {
        if (status === 'finished')
          say(
            '\nThe run is finished. Its model can be tried on the client page; launch another run on the admin page.',
          );
      },
    },
    (error) => standardError.write(`${error.message}\n`),
  );
  if (begun === undefined) await link.act(run.id, 'start');
}

function createRun(link: CoordinatorLink): Promise<Run> {
  return link.createRun({
    task: TASK,
    plan: { rounds: ROUNDS, overSelection: 1, minParticipants: 2, learningRate: 0.1, deadlineSeconds: 60 },
    start: false,
  });
}

/** Resolves when all clients have joined. */
async function startClients(threads: ClientThreads, url: string, run: string): Promise<void> {
  const { promise: failure, reject } = Promise.withResolvers<never>();
  threads.onFailure(reject);
  const { train } = await loadTaskData(TASK);
  const shares = partition(
    train.labels,
    Math.floor(train.count / EXAMPLES_EACH),
    parsePartition('iid'),
    'demo',
  ).slice(0, CLIENTS);
  const joined = threads.begin(
    shares.map((rows, index) => ({ index, rows })),
    (own) => {
      // Only this thread's pictures are handed over: it needs no more.
      const { count, features, labels } = selectExamples(
        train,
        own.flatMap(({ rows }) => [...rows]),
      );
      let at = 0;
      return {
        url,
        run,
        invitation: null,
        seed: 1,
        dropout: 0,
        heldOut: null,
        backend: 'planned',
        clients: own.map(({ index, rows }) => ({ index, rows: Uint32Array.from(rows, () => at++) })),
        features,
        labels,
        featureSize: features.length / count,
      };
    },
  );
  await Promise.race([joined, failure]);
}

main().catch((thrown: unknown) => {
  // An action that failed because the coordinator ended is no failure.
  if (stopping) return;
  const error = CoppiceError.from(thrown);
  standardError.write(`${error.message} [${error.code}]\n`);
  process.exit(error.code === 'config-invalid' ? 2 : 1);
});
