import { CoppiceError } from '@coppice/protocol';
import { type Case, isObject, type Operation, Unsupported } from './case.ts';
import { compare } from './compare.ts';
import { operations } from './operations/index.ts';
import { BadFile, readCases } from './read-cases.ts';

export type Outcome = 'pass' | 'fail' | 'unsupported';

const USAGE = 'Usage: pnpm vectors FILE… (JSON files of cases)';

/**
 * Runs the cases of files: one line a case, then the counts.
 *
 * @param print prints a line of the report, @param complain one about a file that cannot be run.
 * @returns the exit code: 0, 1 where a case fails, 2 where a file cannot be run; then no case is run.
 */
export async function runVectors(
  files: readonly string[],
  print: (line: string) => void,
  complain: (line: string) => void,
): Promise<number> {
  if (files.length === 0) {
    complain(USAGE);
    return 2;
  }
  let cases: Case[];
  try {
    cases = files.flatMap(readCases);
  } catch (thrown) {
    if (!(thrown instanceof BadFile)) throw thrown;
    complain(thrown.message);
    return 2;
  }
  const counts = { pass: 0, fail: 0, unsupported: 0 };
  for (const one of cases) {
    const { outcome, why } = await outcomeOf(one);
    counts[outcome]++;
    print(`${outcome} ${one.id}${why === '' ? '' : ` (${why})`}`);
  }
  print(`${counts.pass} passed, ${counts.fail} failed, ${counts.unsupported} skipped`);
  return counts.fail > 0 ? 1 : 0;
}

/** Runs one case. It never throws. */
export async function outcomeOf(one: Case): Promise<{ outcome: Outcome; why: string }> {
  const operation: Operation | string | undefined = Object.hasOwn(operations, one.operation)
    ? operations[one.operation]
    : undefined;
  if (one.operation === '') return unsupported('the case names no operation');
  if (operation === undefined) return unsupported(`no function of the product computes ${one.operation}`);
  if (typeof operation === 'string') return unsupported(operation);
  if (one.expected === undefined) return unsupported('the case states no expected result');
  const refusal = isObject(one.expected) && Boolean(one.expected.error);
  try {
    const { difference, without } = compare(one, await operation(one));
    if (refusal) return { outcome: 'fail', why: 'the case expects an error, the product gives a result' };
    if (difference !== null) return { outcome: 'fail', why: oneLine(difference) };
    return { outcome: 'pass', why: without.length === 0 ? '' : `without ${without.join(', ')}` };
  } catch (thrown) {
    if (thrown instanceof Unsupported) return unsupported(thrown.message);
    if (thrown instanceof CoppiceError)
      return { outcome: refusal ? 'pass' : 'fail', why: oneLine(`${thrown.code}: ${thrown.message}`) };
    return { outcome: 'fail', why: oneLine(thrown instanceof Error ? thrown.message : String(thrown)) };
  }
}

function unsupported(why: string): { outcome: Outcome; why: string } {
  return { outcome: 'unsupported', why: oneLine(why) };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
