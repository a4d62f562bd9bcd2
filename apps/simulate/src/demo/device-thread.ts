import { parentPort } from 'node:worker_threads';
import type { RawExamples } from '@coppice/datasets';
import { httpTasks } from '@coppice/participant';
import { trainerHost } from '@coppice/participant/node';
import { systemClock } from '@coppice/ports/system';
import { createTrainer } from '@coppice/training';
import { Device, onTheirSide, type Surroundings } from './device.ts';
import type { DevicesCommand, DevicesData, DevicesEvent, Measured } from './device-messages.ts';
import { Predictions } from './predictions.ts';

/* The devices of a demo: each with its own socket, identity and digits, one after the other on this thread's backend. */
const tell = (event: DevicesEvent) => parentPort?.postMessage(event);

interface World {
  readonly devices: readonly Device[];
  readonly around: Surroundings;
  readonly test: RawExamples;
}

async function begin(data: DevicesData): Promise<World> {
  const { url, own, each, test } = data;
  const source = httpTasks(url, { clock: systemClock });
  const task = await source.task(data.task);
  const around: Surroundings = {
    url,
    task,
    source,
    host: trainerHost(createTrainer, ['planned']),
    // A host of its own: predictions do not wait for training.
    predictions: new Predictions(task, source, trainerHost(createTrainer, ['planned'])),
    own,
    each,
    isTurned: data.turned,
  };
  const devices = data.devices.map((digits, index) => new Device(index, digits, around));
  for (const { session } of devices) {
    session.subscribe(({ connection, error }) => {
      if (connection === 'refused')
        tell({ kind: 'failed', message: error?.message ?? 'The coordinator refused a device.' });
    });
  }
  if (data.turned) await Promise.all(devices.map((device) => device.catchUp()));
  return { devices, around, test };
}

async function measure(hash: string, { predictions }: Surroundings, test: RawExamples): Promise<Measured> {
  return {
    upright: await predictions.accuracy(hash, test),
    turned: await predictions.accuracy(hash, onTheirSide(test)),
  };
}

async function obey({ devices, around, test }: World, command: DevicesCommand): Promise<void> {
  switch (command.kind) {
    case 'begin':
      return;
    case 'join':
      await Promise.all(devices.map((device) => device.join(command.run)));
      return tell({ kind: 'joined' });
    case 'use':
      await Promise.all(devices.map((device) => device.use()));
      return tell({ kind: 'used' });
    case 'turn':
      around.isTurned = true;
      // The report of the open period has turned digits, too.
      for (const device of devices) device.predictMore();
      return;
    case 'measure': {
      const { hash } = command;
      return tell({ kind: 'measured', hash, accuracy: await measure(hash, around, test).catch(() => null) });
    }
  }
}

const { promise: begun, resolve, reject } = Promise.withResolvers<World>();
const failed = (thrown: unknown) => tell({ kind: 'failed', message: (thrown as Error).message });
begun.catch(failed);
parentPort?.on('message', (command: DevicesCommand) => {
  if (command.kind === 'begin') begin(command.data).then(resolve, reject);
  else begun.then((world) => obey(world, command).catch(failed)).catch(() => {});
});
