import { describe, expect, it } from 'vitest';
import { type Processes, Starter, systemProcesses } from './starter.ts';

/** Processes as they might be: each with its parent, and those that a package manager's script started. */
function world(parents: Record<number, number>, ofScript: readonly number[]) {
  const processes: Processes = {
    parentOf: (id) => parents[id] ?? null,
    isOfScript: (id) => ofScript.includes(id),
  };
  return { parents, starter: new Starter(processes) };
}

const own = process.pid;
// npx (10), a shell (11), pnpm (12), a shell (13) and this process; 9 is the shell of a person.
const npx = () => world({ [own]: 13, 13: 12, 12: 11, 11: 10, 10: 9, 9: 1 }, [own, 13, 12, 11]);

describe('a starter', () => {
  it('is there as long as all are, from the outermost package manager down', () => {
    expect(npx().starter.isGone).toBe(false);
  });

  it.each([10, 11, 12, 13])('is gone when %i has ended, and its child has another parent', (id) => {
    const { parents, starter } = npx();
    for (const [child, parent] of Object.entries(parents)) if (parent === id) parents[Number(child)] = 1;
    delete parents[id];
    expect(starter.isGone).toBe(true);
  });

  it('is not the shell of the person who called the package manager', () => {
    const { parents, starter } = npx();
    parents[10] = 1;
    delete parents[9];
    expect(starter.isGone).toBe(false);
  });

  it('is nobody where no package manager started this process: nohup, a supervisor, a shell', () => {
    const { parents, starter } = world({ [own]: 9, 9: 1 }, []);
    parents[own] = 1;
    expect(starter.isGone).toBe(false);
  });

  it('is the parent alone where no other process can be looked at', () => {
    const { parents, starter } = world({ [own]: 13 }, [own]);
    expect(starter.isGone).toBe(false);
    parents[own] = 1;
    expect(starter.isGone).toBe(true);
  });
});

it.skipIf(process.platform !== 'linux')("the system's processes have the parents that Node names", () => {
  expect(systemProcesses.parentOf(own)).toBe(process.ppid);
  // By /proc, as for every other process: a parent's parent is above it.
  const above = systemProcesses.parentOf(process.ppid);
  expect(above).toBeGreaterThan(0);
  expect(above).not.toBe(process.ppid);
  expect(systemProcesses.parentOf(2 ** 30)).toBeNull();
  expect(systemProcesses.isOfScript(2 ** 30)).toBe(false);
});
