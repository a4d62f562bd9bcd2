import { defaultPlan, type Event, type Round, type Run } from '@coppice/protocol';

// Records as the coordinator sends them, for tests.

export function runOf(fields: Partial<Run> = {}): Run {
  return {
    id: 'iris-1',
    sequence: 1,
    task: 'iris',
    title: { en: 'Iris flowers' },
    status: 'running',
    admission: 'open',
    phase: 'waiting',
    round: 0,
    rounds: 20,
    participants: 0,
    needed: 2,
    deadlineAt: null,
    central: null,
    checkpoint: 'a'.repeat(64),
    plan: defaultPlan,
    createdAt: 0,
    endedAt: null,
    reason: null,
    from: null,
    cause: { by: 'admin', name: 'Ada' },
    ...fields,
  };
}

export function roundOf(fields: Partial<Round> = {}): Round {
  return {
    run: 'iris-1',
    round: 1,
    attempt: 1,
    outcome: 'committed',
    reason: null,
    startedAt: 0,
    endedAt: 1000,
    target: 2,
    asked: 2,
    accepted: 2,
    refused: 0,
    examples: 20,
    phases: {},
    bytesUp: 0,
    bytesDown: 0,
    central: null,
    federated: null,
    trainingLoss: null,
    parent: 'a'.repeat(64),
    checkpoint: 'b'.repeat(64),
    cohort: [],
    ...fields,
  };
}

export function eventOf(fields: Partial<Event> = {}): Event {
  return {
    id: 1,
    at: 0,
    run: 'iris-1',
    round: null,
    level: 'info',
    kind: 'run-created',
    message: 'The run was created.',
    data: null,
    ...fields,
  };
}
