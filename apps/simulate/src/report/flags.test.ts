import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { publicFlags, repeatCommand } from './flags.ts';

describe('repeatCommand', () => {
  it('has each flag that was set, by its name on the command line', () => {
    const options = {
      task: 'mnist-2nn',
      batchSize: 10,
      fraction: null,
      'learning-rate': 0.1,
      overSelect: 1,
      verbose: true,
      quiet: false,
    };
    expect(repeatCommand(options)).toBe(
      'pnpm simulate --task mnist-2nn --batch-size 10 --learning-rate 0.1 --over-select 1 --verbose',
    );
  });

  it('leaves out what does not make the result', () => {
    expect(repeatCommand({ seed: 0, json: true, report: '/home/me', processes: 4 })).toBe(
      'pnpm simulate --seed 0',
    );
  });

  it('is read back by a shell as it was given', () => {
    const task = `it's "$HOME" \`id\` \\ ; <b> \n *`;
    const command = repeatCommand({ task }).replace(/^pnpm simulate --task/, "printf '%s'");
    expect(execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' })).toBe(task);
  });
});

describe('publicFlags', () => {
  it('never holds the admin key or a password', () => {
    const flags = publicFlags({
      adminKey: 'secret-key',
      'admin-key': 'secret-key',
      url: 'https://me:secret-key@example.org/coppice',
    });
    expect(JSON.stringify(flags)).not.toContain('secret-key');
    expect(flags).toEqual({ url: 'https://example.org/coppice' });
  });
});
