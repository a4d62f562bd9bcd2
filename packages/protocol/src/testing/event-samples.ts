import type { EventData } from '../api/event-data.ts';
import type { FailureFacts } from '../failure.ts';

const participant = { device: 'headless', backend: 'wasm' } as const;
const failure = { code: 'storage-full', detail: 'The disk is full: /srv/coppice takes no more.' } as const;

/** Sample facts of every code that has any. */
export const sampleFacts: { readonly [C in keyof FailureFacts]: readonly FailureFacts[C][] } = {
  'quorum-lost': [
    { accepted: 1, quorum: 3, deadline: true },
    { accepted: 1, quorum: 3, deadline: false },
  ],
  'training-diverged': [{ on: 'devices', diverged: 3, asked: 4 }, { on: 'model' }],
};

const lost = {
  code: 'quorum-lost',
  detail: '1 of 3 needed updates came before the deadline.',
  facts: { ...sampleFacts['quorum-lost'][0] },
};

const alarm = { task: 'flowers', period: 12, participants: 40, alarms: 2, tested: 7 };
const firing = { task: 'iris', firing: 3 };
const release = {
  task: 'iris',
  channel: 'production',
  sequence: 2,
  checkpoint: 'iris-1/12',
  before: 'iris-1/5',
  undone: false,
  by: 'Ada',
  reason: 'drift',
} as const;

/** Sample data of every kind of event. */
export const sampleEvents: { readonly [K in keyof EventData]: readonly EventData[K][] } = {
  'run-created': [{}, { from: 'iris-1/12' }, { firstWeights: 'given' }, { firstWeights: 'seed' }],
  'run-running': [{}],
  'run-paused': [{}, failure, lost],
  'run-stopped': [{}, { code: 'run-given-up', detail: 'The firing 3 of "iris" ended.' }],
  'run-finished': [{ rounds: 20 }],
  'run-recovered': [{ next: 4 }],
  'participant-joined': [participant],
  'participant-left': [{}],
  'participant-put-out': [{ code: 'participant-banned' }],
  'participant-events': [{}],
  'update-refused': [{ code: 'update-norm', detail: 'The update has a norm of 12, above the bound of 5.' }],
  'update-declined': [{ code: 'data-empty' }],
  'scaling-agreed': [{ participants: 12, examples: 3400 }],
  'scaling-failed': [{ code: 'quorum-lost', detail: 'Too few participants answered.' }],
  'round-started': [{ asked: 5, target: 4 }],
  'round-recovered': [{ accepted: 2, target: 4 }],
  'round-ended-by-admin': [{}],
  'round-committed': [
    { accepted: 4, asked: 5, bytes: 2_300_000, accuracy: 0.875 },
    { accepted: 4, asked: 5, bytes: 2_300_000, accuracy: null },
  ],
  'updates-shortened': [
    { accepted: 5, capped: 1, scaled: 2 },
    { accepted: 5, capped: 0, scaled: 2 },
    { accepted: 5, capped: 1, scaled: 0 },
  ],
  'variances-kept': [{ variances: 12 }],
  'federated-loss-null': [{ examples: 120 }],
  'round-abandoned': [failure, lost],
  'spool-damaged': [failure],
  'release-moved': [
    release,
    { ...release, before: null },
    { ...release, undone: true },
    { ...release, channel: 'canary', checkpoint: null },
    { ...release, by: 'drift', firing: 3 },
  ],
  'firing-began': [
    { ...firing, period: 12, causes: ['drift', 'new-examples'], production: 'iris-1/12' },
    { ...firing, period: null, causes: ['by-hand'], production: 'iris-1/12' },
    { ...firing, period: 12, causes: ['floor', 'schedule'], production: 'iris-1/12' },
  ],
  'launch-hindered': [
    { task: 'iris', period: 12, causes: ['drift'], hindrances: ['data-quality', 'budget'] },
    { task: 'iris', period: 12, causes: ['schedule'], hindrances: ['cool-down', 'no-new-data', 'running'] },
  ],
  'canary-began': [{ ...firing, candidate: 'iris-2/20', share: 0.1 }],
  'firing-ended': [
    { ...firing, outcome: 'released', candidate: 'iris-2/20', checks: [] },
    {
      ...firing,
      outcome: 'refused',
      candidate: 'iris-2/20',
      checks: ['recent', 'discordant', 'older', 'class', 'group', 'worst-tenth'],
    },
    { ...firing, outcome: 'refused', candidate: 'iris-2/20', checks: [] },
    { ...firing, outcome: 'rolled-back', candidate: 'iris-2/20', checks: [] },
    { ...firing, outcome: 'budget-spent', candidate: null, checks: [] },
    { ...firing, outcome: 'run-paused', candidate: null, checks: [] },
    { ...firing, outcome: 'run-stalled', candidate: null, checks: [] },
    { ...firing, outcome: 'run-ended', candidate: null, checks: [] },
    { ...firing, outcome: 'overtaken', candidate: null, checks: [] },
  ],
  'drift-alarm': [
    { ...alarm, role: 'input', name: 'length', effect: 0.31 },
    { ...alarm, role: 'prediction', name: '', effect: 0.31 },
    { ...alarm, role: 'confidence', name: '', effect: 0.31 },
  ],
  'data-quality-alarm': [
    { ...alarm, name: 'length', fault: 'missing', reference: 0.01, current: 0.4 },
    { ...alarm, name: 'length', fault: 'outside', reference: 0.01, current: 0.4 },
    { ...alarm, name: 'colour', fault: 'other', reference: 0.01, current: 0.4 },
  ],
  'privacy-budget-spent': [{ task: 'iris', epsilon: 3.9, budget: 4, delta: 1e-6 }],
  'storage-failed': [failure],
  'storage-refused': [{ code: 'storage-full', since: 1_700_000_000_000 }],
};
