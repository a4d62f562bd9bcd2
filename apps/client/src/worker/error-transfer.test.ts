import { CoppiceError } from '@coppice/protocol';
import { transferHandlers } from 'comlink';
import { expect, it } from 'vitest';
import { errorTransfer } from './error-transfer.ts';

/** What one side of the line throws, as it comes out on the other. */
function transferred(thrown: unknown): unknown {
  errorTransfer();
  const handler = transferHandlers.get('throw');
  const [sent] = handler?.serialize({ value: thrown } as never) ?? [];
  try {
    return handler?.deserialize(structuredClone(sent) as never);
  } catch (came) {
    return came;
  }
}

it('keeps the code of an error of the project, and the message of any other', () => {
  const error = new CoppiceError('storage-full', 'No room.');
  const came = transferred(error);
  expect(came).toBeInstanceOf(CoppiceError);
  expect((came as CoppiceError).toWire()).toEqual(error.toWire());
  const other = transferred(new TypeError('not a function'));
  expect(other).toBeInstanceOf(Error);
  expect(other).not.toBeInstanceOf(CoppiceError);
  expect((other as Error).message).toBe('not a function');
  expect(transferred('a text')).toBe('a text');
});
