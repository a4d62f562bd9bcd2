import { ManualClock } from '@coppice/ports';
import {
  type AuditEntry,
  type ListedParticipant,
  type NewTaskInvitation,
  NewTaskInvitationSchema,
  type TaskAdmission,
  TaskAdmissionSchema,
  type TaskInvitation,
} from '@coppice/protocol';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { Admissions } from '../security/admissions.ts';
import { taskPlace } from '../security/places.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';

const KEY = 'a-key-for-tests';
const [ada, grace] = ['ad'.repeat(16), '9c'.repeat(16)];
const clock = new ManualClock(1_760_000_000_000);
let storage: ReturnType<typeof memoryStorage>;
let coordinator: Coordinator;

beforeEach(async () => {
  storage = memoryStorage();
  coordinator = await startCoordinator({
    config: { port: 0, adminKey: KEY, logLevel: 'silent' },
    storage,
    spool: memorySpool(),
    clock,
  });
});
afterEach(() => coordinator.close());

async function call<T = { error: { code: string } }>(method: string, path: string, body?: unknown) {
  const response = await fetch(`${coordinator.url}/api/${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as T };
}

/** What a coordinator started on the same storage admits. */
async function restarted(): Promise<Admissions> {
  const admissions = new Admissions(storage, clock);
  await admissions.recover();
  return admissions;
}

const refusal = (admissions: Admissions, participant: string) =>
  admissions.refusal(participant, taskPlace('iris'))?.code ?? null;

it('admits everyone to a task, and those on its list alone once it says so', async () => {
  const before = await call<TaskAdmission>('GET', 'tasks/iris/admission');
  expect(TaskAdmissionSchema.parse(before.body)).toEqual({
    admission: 'open',
    invitations: [],
    listed: [],
    bans: [],
  });
  expect(refusal(await restarted(), ada)).toBeNull();

  expect((await call('PUT', 'tasks/iris/admission', { admission: 'listed' })).status).toBe(200);
  const listing = await call<TaskAdmission>('POST', 'tasks/iris/allow-list', { participants: [ada] });
  expect(listing).toMatchObject({
    status: 201,
    body: { admission: 'listed', listed: [{ participant: ada }] },
  });
  const closed = await restarted();
  expect([refusal(closed, ada), refusal(closed, grace)]).toEqual([null, 'run-not-admitted']);
  expect(closed.refusal(grace, taskPlace('iris'))?.message).toMatch(
    /^The task "iris" is for those on its list\./,
  );
  // Neither another task, nor a run of the same name, nor a model of the task is closed with it.
  expect(closed.refusal(grace, taskPlace('mnist-2nn'))).toBeNull();
  expect(closed.refusal(grace, 'iris')).toBeNull();
  expect(closed.closed()).toEqual([]);

  const gone = await call<ListedParticipant>('DELETE', `tasks/iris/allow-list/${ada}`);
  expect(gone.body.participant).toBe(ada);
  expect(refusal(await restarted(), ada)).toBe('run-not-admitted');
});

it('admits by an invitation of the task, and of no other place', async () => {
  await call('PUT', 'tasks/iris/admission', { admission: 'invited' });
  await call('PUT', 'tasks/mnist-2nn/admission', { admission: 'invited' });
  const made = await call<NewTaskInvitation>('POST', 'tasks/iris/invitations', { label: 'lab', uses: 1 });
  const { id, secret } = NewTaskInvitationSchema.parse(made.body);
  const admissions = await restarted();
  await expect(admissions.come(ada, taskPlace('mnist-2nn'), secret)).rejects.toMatchObject({
    code: 'invitation-invalid',
  });
  await admissions.come(ada, taskPlace('iris'), secret);
  const after = await restarted();
  expect([refusal(after, ada), refusal(after, grace)]).toEqual([null, 'run-not-admitted']);
  const shown = await call<TaskAdmission>('GET', 'tasks/iris/admission');
  expect(shown.body.invitations).toMatchObject([{ id, task: 'iris', label: 'lab', uses: 1 }]);
  expect(JSON.stringify(shown.body)).not.toContain(secret);

  const revoked = await call<TaskInvitation>('DELETE', `tasks/iris/invitations/${id}?remove=1`);
  expect(revoked.body).toMatchObject({ id, task: 'iris', revokedAt: clock.now() });
});

it('refuses tasks that there are not, and says who changed what', async () => {
  expect(await call('PUT', 'tasks/none/admission', { admission: 'listed' })).toMatchObject({
    status: 404,
    body: { error: { code: 'task-unknown' } },
  });
  expect(await call('PUT', 'tasks/iris/admission', { admission: 'listed', keep: true })).toMatchObject({
    status: 400,
    body: { error: { code: 'body-invalid' } },
  });
  await call('PUT', 'tasks/iris/admission', { admission: 'listed' });
  const { body } = await call<AuditEntry[]>('GET', 'audit');
  expect(body).toMatchObject([{ action: 'admission-changed', target: 'task:iris', detail: 'listed' }]);
});
