import { language as inForce } from '@coppice/ui';
import { afterEach, describe, expect, it } from 'vitest';
import { isBusy, type StatusView, statusSentence } from './status.ts';

afterEach(() => {
  inForce.value = 'en';
});

const run = {
  status: 'running',
  phase: 'waiting',
  participants: 1,
  needed: 2,
  round: 3,
  rounds: 20,
} as const;
const inRun: StatusView = {
  stage: 'in',
  connection: 'online',
  activity: { kind: 'waiting' },
  run,
  peers: { joined: 3, working: 2, done: 1 },
  care: null,
  consented: true,
};
const training = { kind: 'training', round: 4, epoch: 1, epochs: 1, step: 12, steps: 30, loss: 0.5 } as const;

/** One view for every state that a person can be in. */
const views: Record<string, StatusView> = {
  connecting: { ...inRun, stage: 'out', connection: 'connecting' },
  offline: { ...inRun, connection: 'offline' },
  'offline before taking part': { ...inRun, stage: 'out', connection: 'offline' },
  refused: { ...inRun, stage: 'out', connection: 'refused' },
  'no run': { ...inRun, stage: 'out', run: null },
  'not agreed': { ...inRun, stage: 'out', consented: false },
  ready: { ...inRun, stage: 'out' },
  joining: { ...inRun, stage: 'joining', activity: { kind: 'idle' } },
  'needs data': { ...inRun, activity: { kind: 'needs-data' } },
  'run paused': { ...inRun, run: { ...run, status: 'paused' } },
  'run not started': { ...inRun, run: { ...run, status: 'created' } },
  'too few': inRun,
  'others at work': { ...inRun, run: { ...run, participants: 3, phase: 'collect' } },
  averaging: { ...inRun, run: { ...run, participants: 3, phase: 'aggregate' } },
  'next round': { ...inRun, run: { ...run, participants: 3 } },
  paused: { ...inRun, activity: { kind: 'paused' } },
  'paused, hidden': { ...inRun, activity: { kind: 'paused' }, care: 'hidden' },
  'paused, battery': { ...inRun, activity: { kind: 'paused' }, care: 'battery' },
  'paused, unplugged': { ...inRun, activity: { kind: 'paused' }, care: 'unplugged' },
  'paused, metered': { ...inRun, activity: { kind: 'paused' }, care: 'metered' },
  'paused, data saving': { ...inRun, activity: { kind: 'paused' }, care: 'data-saving' },
  receiving: {
    ...inRun,
    activity: { kind: 'receiving', round: 4, received: 1_048_576, bytes: 8_000_000 },
  },
  preparing: { ...inRun, activity: { kind: 'preparing', round: 4 } },
  evaluating: { ...inRun, activity: { kind: 'evaluating', round: 4 } },
  training: { ...inRun, activity: training },
  'training, passes': { ...inRun, activity: { ...training, epochs: 5, epoch: 2 } },
  sending: { ...inRun, activity: { kind: 'sending', round: 4, sent: 0, bytes: 796_872 } },
  'sending, in pieces': {
    ...inRun,
    activity: { kind: 'sending', round: 4, sent: 1_048_576, bytes: 8_000_000 },
  },
  'delivered, others': { ...inRun, activity: { kind: 'delivered', round: 4 } },
  'delivered, alone': { ...inRun, activity: { kind: 'delivered', round: 4 }, peers: null },
  finished: { ...inRun, stage: 'over', activity: { kind: 'ended' }, run: { ...run, status: 'finished' } },
  stopped: { ...inRun, stage: 'over', activity: { kind: 'ended' }, run: { ...run, status: 'stopped' } },
  failed: { ...inRun, stage: 'over', activity: { kind: 'ended' }, run: { ...run, status: 'failed' } },
};

describe('statusSentence', () => {
  for (const language of ['en', 'zh'] as const) {
    it(`says something of its own for every state in ${language}`, () => {
      inForce.value = language;
      const sentences = Object.values(views).map(statusSentence);
      expect(new Set(sentences).size).toBe(sentences.length);
      for (const sentence of sentences) {
        expect(sentence).not.toMatch(/undefined|NaN|null|\[object/);
        expect(/[\u4e00-\u9fff]/.test(sentence)).toBe(language === 'zh');
      }
    });
  }

  it('counts who is missing', () => {
    expect(statusSentence(inRun)).toBe('Waiting for 1 more person: a round needs 2, 1 here.');
    expect(statusSentence({ ...inRun, run: { ...run, needed: 5 } })).toContain('4 more people');
  });

  it('says where training is, and passes only where there are several', () => {
    expect(statusSentence({ ...inRun, activity: training })).toBe(
      'Round 4: training on this device, step 12 of 30.',
    );
    expect(statusSentence({ ...inRun, activity: { ...training, epochs: 5, epoch: 2 } })).toContain(
      'pass 2 of 5',
    );
  });

  it('puts a lost connection before what went on when it was lost', () => {
    expect(statusSentence({ ...inRun, connection: 'offline', activity: training })).toBe(
      statusSentence({ ...inRun, connection: 'offline' }),
    );
  });
});

describe('isBusy', () => {
  it('holds back what changes all the time, and nothing that a person must know at once', () => {
    expect(isBusy(training)).toBe(true);
    expect(isBusy({ kind: 'paused' })).toBe(false);
    expect(isBusy({ kind: 'needs-data' })).toBe(false);
    expect(isBusy({ kind: 'ended' })).toBe(false);
  });
});
