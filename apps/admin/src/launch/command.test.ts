import { CreateRunSchema, defaultPlan, type Plan } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { curlCommand, requestBody, simulateCommand } from './command.ts';

const defaults = { ...defaultPlan, learningRate: 0.05 };
const plan: Plan = { ...defaults, rounds: 50, overSelection: 1, cohortSize: 10, cohortFraction: 0.5 };

describe('requestBody', () => {
  it('says only what differs, and is what the coordinator takes', () => {
    const body = requestBody('iris', plan, { defaults, admission: 'open', from: null });
    expect(body).toEqual({
      task: 'iris',
      plan: { rounds: 50, overSelection: 1, cohortSize: 10, cohortFraction: 0.5 },
    });
    expect(CreateRunSchema.parse(body)).toEqual({ ...body, start: true, admission: 'open', from: null });
    const closed = requestBody('iris', plan, { defaults, admission: 'listed', from: 'iris-1/5' });
    expect(closed).toMatchObject({ admission: 'listed', from: 'iris-1/5' });
    expect(CreateRunSchema.parse(closed)).toEqual({ ...closed, start: true });
  });
});

describe('curlCommand', () => {
  it('holds the body between quotes that a shell leaves alone, and no key', () => {
    const command = curlCommand('http://localhost:8080', { task: "it's" as string, plan: {} });
    expect(command).toContain(`-d '{"task":"it'\\''s","plan":{}}'`);
    expect(command).toContain('Bearer $COPPICE_ADMIN_KEY');
  });
});

describe('simulateCommand', () => {
  it('gives flags for what the simulator would do otherwise', () => {
    expect(simulateCommand('iris', plan, { defaults, clients: 30 })).toBe(
      'pnpm simulate --task iris --clients 30 --cohort 10 --rounds 50',
    );
  });

  it('keeps the over-selection of the plan, which the simulator leaves out by itself', () => {
    const usual = simulateCommand('iris', { ...plan, overSelection: 1.3 }, { defaults, clients: 2 });
    expect(usual).toContain('--over-select 1.3');
  });

  it('says how numbers travel where it is not as the simulator has it', () => {
    const codecs = { uploadCodec: 'top10', downloadCodec: 'int8', downloadForm: 'steps' } as const;
    const rounded = simulateCommand('iris', { ...plan, ...codecs }, { defaults, clients: 2 });
    expect(rounded).toContain('--upload-codec top10 --download-codec int8 --download-form steps');
    // What the task has by itself the simulator does not.
    expect(
      simulateCommand('iris', { ...plan, ...codecs }, { defaults: { ...defaults, ...codecs }, clients: 2 }),
    ).toEqual(rounded);
  });

  it('has a flag for every field, and gives those that only repeat a simulation where they were changed', () => {
    const changed: Plan = { ...plan, clipNorm: 1, maxNorm: null, quorum: 0.9, optimizer: 'adam', rounds: 20 };
    expect(simulateCommand('iris', changed, { defaults, clients: 30 })).toBe(
      'pnpm simulate --task iris --clients 30 --optimizer adam --cohort 10 --quorum 0.9 --clip-norm 1 --max-norm none',
    );
  });

  it('says how many rounds where the simulator would take more to reach an accuracy', () => {
    const until = { ...plan, rounds: 20, targetAccuracy: 0.9 };
    expect(simulateCommand('iris', until, { defaults, clients: 30 })).toContain(
      '--rounds 20 --target-accuracy 0.9',
    );
  });

  it('does not wait for more participants than there are clients', () => {
    const alone = { ...plan, cohortSize: null, cohortFraction: 1, minParticipants: 1 };
    expect(simulateCommand('iris', alone, { defaults, clients: 3 })).toContain('--min-participants 1');
    const crowd = { ...alone, minParticipants: 50 };
    expect(simulateCommand('iris', crowd, { defaults, clients: 3 })).not.toContain('--min-participants');
  });

  it('trains a task of the own on its coordinator, on a file', () => {
    const command = simulateCommand('leaves', plan, {
      defaults,
      clients: 30,
      ownAt: 'http://localhost:8080',
    });
    expect(command).toContain('--task leaves --clients 30 --url http://localhost:8080 --data data.csv');
  });

  it('takes a model from the coordinator that has it', () => {
    const start = { origin: 'http://localhost:8080', from: 'iris-1/5' };
    expect(simulateCommand('iris', plan, { defaults, clients: 30, start })).toBe(
      'pnpm simulate --task iris --clients 30 --url http://localhost:8080 --from iris-1/5 --cohort 10 --rounds 50',
    );
  });
});
