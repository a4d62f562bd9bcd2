import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { type LocalState, memoryState, type StateSnapshot } from '@coppice/participant';

/**
 * Local state in a file, for simulated clients that go on after the process ended. Every change writes the file anew, and
 * is on disk when it resolves.
 *
 * @param path of the file; its folder is there.
 */
export function fileState(path: string): LocalState {
  const state = memoryState(read(path));
  const save = () => {
    const file = openSync(`${path}.new`, 'w');
    try {
      writeSync(file, serialize(state.snapshot()));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(`${path}.new`, path);
  };
  return {
    ...state,
    async stage(...given) {
      await state.stage(...given);
      save();
    },
    async settle(...given) {
      await state.settle(...given);
      save();
    },
    async forget(run) {
      await state.forget(run);
      save();
    },
  };
}

function read(path: string): StateSnapshot | undefined {
  try {
    return deserialize(readFileSync(path)) as StateSnapshot;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
}
