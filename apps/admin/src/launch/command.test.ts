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
    expect(simulateCommand('iris', plan, { defaults, clients: 30 })).toEqual({
      command: 'pnpm simulate --task iris --clients 30 --cohort 10 --rounds 50',
      left: [],
    });
  });

  it('keeps the over-selection of the plan, which the simulator leaves out by itself', () => {
    const usual = simulateCommand('iris', { ...plan, overSelection: 1.3 }, { defaults, clients: 2 });
    expect(usual.command).toContain('--over-select 1.3');
  });

  it('says how numbers travel where it is not as the simulator has it', () => {
    const codecs = { uploadCodec: 'top10', downloadCodec: 'int8', downloadForm: 'steps' } as const;
    const rounded = simulateCommand('iris', { ...plan, ...codecs }, { defaults, clients: 2 });
    expect(rounded.command).toContain('--upload-codec top10 --download-codec int8 --download-form steps');
    // What the task has by itself the simulator does not.
    expect(
      simulateCommand('iris', { ...plan, ...codecs }, { defaults: { ...defaults, ...codecs }, clients: 2 }),
    ).toEqual(rounded);
  });

  it('takes a model from the coordinator that has it', () => {
    const start = { origin: 'http://localhost:8080', from: 'iris-1/5' };
    expect(simulateCommand('iris', plan, { defaults, clients: 30, start }).command).toBe(
      'pnpm simulate --task iris --clients 30 --url http://localhost:8080 --from iris-1/5 --cohort 10 --rounds 50',
    );
  });

  it('names what has no flag', () => {
    const clipped = simulateCommand('iris', { ...plan, clipNorm: 1 }, { defaults, clients: 2 });
    expect(clipped.left).toEqual(['clipNorm']);
  });
});
