import { PARTICIPANT_HEADER, TICKET_HEADER } from '@coppice/protocol';
import { FIRINGS_A_PAGE } from '../storage/firing-storage.ts';
import { PERIODS_A_PAGE } from '../storage/period-storage.ts';
import { RELEASES_A_PAGE } from '../storage/release-storage.ts';
import { EVENTS_A_PAGE } from '../storage/storage.ts';
import { SUMMARIES_A_PAGE } from './drift.ts';
import {
  exportPaths,
  failure,
  type Json,
  list,
  model,
  operation,
  ref,
  weights,
} from './openapi-operation.ts';

/** The operations of each path of the API. */
export const apiPaths: { readonly [path: string]: Json } = {
  '/api/info': { get: operation('What coordinator this is', ref('Info')) },
  '/api/openapi.json': { get: operation('This document', { type: 'object' }) },
  '/api/protocol.json': {
    get: operation("The messages of the participant's wire, each as a JSON Schema", {
      type: 'object',
      required: ['protocol', 'oldest', 'hello', 'error', 'messages', 'frame'],
      properties: {
        protocol: { type: 'integer', description: 'The version of the schemas' },
        oldest: { type: 'integer', description: 'The oldest version that is served' },
        hello: { type: 'object', description: 'Of the handshake' },
        error: { type: 'object', description: 'Of errors in replies, notices and connect_error' },
        messages: {
          type: 'object',
          description: 'By event name',
          additionalProperties: {
            type: 'object',
            required: ['direction', 'schema', 'reply'],
            properties: {
              direction: { enum: ['up', 'down'] },
              schema: { type: 'object' },
              reply: { type: ['object', 'null'], description: 'Of the acknowledgement' },
            },
          },
        },
        frame: { type: 'object', description: 'Numbers of the binary frames' },
      },
    }),
  },
  '/api/session': {
    get: operation('Who is signed in here', ref('SessionState')),
    post: operation('Sign in: the admin key, a one-time key, or name and password', ref('SessionState'), {
      body: 'Login',
    }),
    delete: operation('Sign out', ref('SessionState')),
  },
  '/api/account': {
    put: operation('Change one’s own name or password', ref('Admin'), { body: 'Account' }),
  },
  '/api/admins': { get: operation('All admins, oldest first', list('Admin')) },
  '/api/admins/{admin}': {
    patch: operation('Give an admin another role', ref('Admin'), {
      path: ['admin'],
      body: 'ChangeAdmin',
    }),
    delete: operation('Remove an admin, with all sessions and tokens', ref('Admin'), { path: ['admin'] }),
  },
  '/api/admin-invitations': {
    get: operation('Invitations that can still be used', list('AdminInvitation')),
    post: operation('Invite an admin; the link is shown this once', ref('NewAdminInvitation'), {
      body: 'InviteAdmin',
      status: '201',
    }),
  },
  '/api/admin-invitations/accept': {
    post: operation('Become an admin, and sign in', ref('SessionState'), {
      body: 'AcceptInvitation',
      status: '201',
    }),
  },
  '/api/admin-invitations/{invitation}': {
    delete: operation('Withdraw an invitation', ref('AdminInvitation'), { path: ['invitation'] }),
  },
  '/api/tokens': {
    get: operation('API tokens, newest first', list('ApiToken')),
    post: operation('Make an API token, which is shown this once', ref('NewApiToken'), {
      body: 'CreateToken',
      status: '201',
    }),
  },
  '/api/tokens/{token}': { delete: operation('Revoke it', ref('ApiToken'), { path: ['token'] }) },
  '/api/sessions': { get: operation('One’s own sessions; for an owner, all', list('AdminSession')) },
  '/api/sessions/{session}': {
    delete: operation('End it', ref('AdminSession'), { path: ['session'] }),
  },
  '/api/audit': {
    get: operation('The audit log, newest first, 100 at a time: those before an id', list('AuditEntry'), {
      query: ['before', 'admin', 'action'],
    }),
  },
  '/api/tasks': {
    get: operation('All tasks', list('TaskInfo')),
    post: operation('Add a task of your own', ref('CreatedTask'), {
      body: 'CreateTask',
      status: '201',
    }),
  },
  '/api/weights': {
    post: {
      ...operation(
        'Send the weights of a task that is yet to be made; "weights" of POST /api/tasks names them by "hash" within a day',
        ref('GivenWeights'),
        { status: '201' },
      ),
      requestBody: {
        required: true,
        description: 'A safetensors file with a tensor for each weight of the model, by its name',
        content: { 'application/octet-stream': {} },
      },
    },
  },
  '/api/tasks/{task}': { get: operation('One task, with its model', ref('Task'), { path: ['task'] }) },
  '/api/tasks/{task}/samples': {
    get: {
      ...operation('A share of ready-made training data', {}, { path: ['task'], query: ['share', 'of'] }),
      responses: {
        200: {
          description:
            'Little-endian: uint32 count, uint32 bytes per feature (1: uint8, 4: float32), uint32 features per example, uint32 0, the features, zero bytes up to a multiple of four, float32 labels.',
          content: { 'application/octet-stream': {} },
        },
        default: failure,
      },
    },
  },
  '/api/tasks/{task}/releases': {
    get: operation(
      `The last move of each channel, with "at" as it was at that time (milliseconds since the epoch); and ${RELEASES_A_PAGE} moves, of one channel with "channel": the last ones or with "before" those before a number, newest first; with "after" those after it, oldest first`,
      ref('Releases'),
      { path: ['task'], query: ['channel', 'after', 'before', 'at'] },
    ),
    post: operation(
      'Move a channel to a committed checkpoint, or empty it; refused where its last move is not the expected one',
      ref('Release'),
      { path: ['task'], body: 'MoveChannel', status: '201' },
    ),
  },
  '/api/tasks/{task}/releases/undo': {
    post: operation('Take the last release of production back', ref('Release'), {
      path: ['task'],
      body: 'UndoRelease',
      status: '201',
    }),
  },
  '/api/tasks/{task}/firings': {
    get: operation(
      `The firings of a task's trigger, newest first, ${FIRINGS_A_PAGE} at most: the last ones, or with "before" those before a number`,
      list('Firing'),
      { path: ['task'], query: ['before', 'limit'] },
    ),
    post: operation(
      'Fire by hand: launch a run from production by the plan of the policy, and release its result by its rules',
      ref('Firing'),
      { path: ['task'], body: 'Fire', status: '201' },
    ),
  },
  '/api/tasks/{task}/policy': {
    get: operation('The policy by which a task is kept good: the version that holds now', ref('PolicyInfo'), {
      path: ['task'],
    }),
    put: operation(
      'Save the next version of the policy; refused where the last one is not the expected one, or a rule cannot be',
      ref('PolicyInfo'),
      { path: ['task'], body: 'PutPolicy' },
    ),
  },
  '/api/tasks/{task}/watch': {
    get: operation('What devices report for a task, and with which bins', ref('WatchInfo'), {
      path: ['task'],
    }),
  },
  '/api/tasks/{task}/drift': {
    get: operation(
      `The periods of a watched task, newest first, "limit" or ${PERIODS_A_PAGE} at most: the last ones, or with "before" those before a number. With "summary" 1 without sums and distributions (PeriodSummary), ${SUMMARIES_A_PAGE} at most`,
      { anyOf: [list('WatchedPeriod'), list('PeriodSummary')] },
      { path: ['task'], query: ['before', 'limit', 'summary'] },
    ),
  },
  '/api/tasks/{task}/references/{release}': {
    get: operation(
      'The reference of a release, by the number of its move of production',
      ref('ReleaseReference'),
      {
        path: ['task', 'release'],
      },
    ),
  },
  '/api/tasks/{task}/admission': {
    get: operation(
      'The participants that may report for it: admission, invitations, list, bans',
      ref('TaskAdmission'),
      {
        path: ['task'],
      },
    ),
    put: operation('Change its admission mode', ref('TaskAdmission'), {
      path: ['task'],
      body: 'ChangeTaskAdmission',
    }),
  },
  '/api/tasks/{task}/invitations': {
    post: operation(
      'Invite participants to report; the secret is shown this once',
      ref('NewTaskInvitation'),
      {
        path: ['task'],
        body: 'CreateRunInvitation',
        status: '201',
      },
    ),
  },
  '/api/tasks/{task}/invitations/{invitation}': {
    delete: operation(
      'Revoke an invitation; with remove=1 also take the participants off the list that came by it',
      ref('TaskInvitation'),
      { path: ['task', 'invitation'], query: ['remove'] },
    ),
  },
  '/api/tasks/{task}/allow-list': {
    post: operation('Put participants on the list', ref('TaskAdmission'), {
      path: ['task'],
      body: 'ListParticipants',
      status: '201',
    }),
  },
  '/api/tasks/{task}/allow-list/{participant}': {
    delete: operation('Take one off the list', ref('ListedParticipant'), { path: ['task', 'participant'] }),
  },
  '/api/runs': {
    get: operation('All runs, newest first; whole ones for an admin', {
      anyOf: [list('RunSummary'), list('Run')],
    }),
    post: operation('Create a run and, unless "start" is false, launch it', ref('Run'), {
      body: 'CreateRun',
      status: '201',
    }),
  },
  '/api/runs/{run}': { get: operation('One run', ref('Run'), { path: ['run'] }) },
  '/api/runs/{run}/plan': {
    get: operation('Its plan, for everyone who considers taking part', ref('Plan'), { path: ['run'] }),
  },
  '/api/runs/{run}/parcels/{hash}': {
    get: {
      ...operation(
        'The payload of a current parcel of the run, whole or the range that "Range" asks for',
        {},
        { path: ['run', 'hash'], query: ['codec'], header: [PARTICIPANT_HEADER, TICKET_HEADER, 'Range'] },
      ),
      description: `The headers ${PARTICIPANT_HEADER} and ${TICKET_HEADER} open a run that is not open; of one that is, they tell on whose account the bytes are counted. Participants find more in docs/protocol.md.`,
      responses: {
        200: { description: 'All bytes', content: { 'application/octet-stream': {} } },
        206: { description: 'The range', content: { 'application/octet-stream': {} } },
        304: { description: 'The bytes that "If-None-Match" names' },
        416: { description: 'The range begins behind the last byte' },
        default: failure,
      },
    },
    options: {
      ...operation('Tell a page of another origin which headers it may send', {}, { path: ['run', 'hash'] }),
      description: 'Answers the preflight requests of browsers, for pages of origins that may take part.',
      responses: { 204: { description: 'These headers may be sent' }, default: failure },
    },
  },
  '/api/runs/{run}/rounds': {
    get: operation('Its rounds, oldest first', list('Round'), { path: ['run'] }),
  },
  '/api/runs/{run}/checkpoints': {
    get: operation('Its checkpoints, newest first', list('Checkpoint'), { path: ['run'] }),
  },
  '/api/runs/{run}/participants': {
    get: operation('Its participants', list('ParticipantRow'), { path: ['run'] }),
  },
  '/api/runs/{run}/admission': {
    get: operation('Who may take part: admission, invitations, list, bans', ref('RunAdmission'), {
      path: ['run'],
    }),
    put: operation(
      'Change it while the run runs; those who take part stay, unless "keep" is false',
      ref('RunAdmission'),
      { path: ['run'], body: 'ChangeAdmission' },
    ),
  },
  '/api/runs/{run}/invitations': {
    post: operation('Invite participants; the link is shown this once', ref('NewRunInvitation'), {
      path: ['run'],
      body: 'CreateRunInvitation',
      status: '201',
    }),
  },
  '/api/runs/{run}/invitations/{invitation}': {
    delete: operation(
      'Revoke an invitation; with remove=1 also put out those who came by it',
      ref('RunInvitation'),
      { path: ['run', 'invitation'], query: ['remove'] },
    ),
  },
  '/api/runs/{run}/allow-list': {
    post: operation('Put participants on the list', ref('RunAdmission'), {
      path: ['run'],
      body: 'ListParticipants',
      status: '201',
    }),
  },
  '/api/runs/{run}/allow-list/{participant}': {
    delete: operation('Take one off the list', ref('ListedParticipant'), {
      path: ['run', 'participant'],
    }),
  },
  '/api/bans': {
    get: operation('All bans, newest first', list('Ban')),
    post: operation('Ban a participant from a run, or from the whole coordinator', ref('Ban'), {
      body: 'CreateBan',
      status: '201',
    }),
  },
  '/api/bans/{ban}': { delete: operation('Lift it', ref('Ban'), { path: ['ban'] }) },
  '/api/runs/{run}/{action}': {
    post: operation('Start, pause, resume or stop it, or end its open round now', ref('Run'), {
      path: ['run', 'action'],
    }),
  },
  '/api/events': {
    get: operation(
      `The event log, ${EVENTS_A_PAGE} events at a time: with "after" those after an id, oldest first; with "before" those before it, newest first; with neither the newest, oldest first`,
      list('Event'),
      { query: ['run', 'after', 'before'] },
    ),
  },
  '/models/{task}/{version}/model.json': model(
    'A model for tf.loadLayersModel; version is a checkpoint\'s hash, a channel ("production", "canary", "candidate"), or "latest": production or, where the task has none, the highest committed round of the newest run that has one',
    ['task', 'version'],
  ),
  '/models/{task}/{version}/weights.bin': weights(['task', 'version']),
  ...exportPaths('/models/{task}/{version}', ['task', 'version']),
  '/models/{task}/{version}/example.html': {
    get: {
      ...operation('A page that predicts with the model, to be copied', {}, { path: ['task', 'version'] }),
      responses: { 200: { description: 'A page', content: { 'text/html': {} } }, default: failure },
    },
  },
  '/models/{task}/runs/{run}/{round}/model.json': model(
    'The model of one run after a round; 0 for its first weights, "latest" for its highest committed round',
    ['task', 'run', 'round'],
  ),
  '/models/{task}/runs/{run}/{round}/weights.bin': weights(['task', 'run', 'round']),
  ...exportPaths('/models/{task}/runs/{run}/{round}', ['task', 'run', 'round']),
  '/healthz': { get: operation('Whether the process lives', { type: 'object' }) },
  '/readyz': {
    get: operation(
      'Whether it serves participants: 200, or 503 while it recovers, stops or cannot store; and the parts that fail',
      {
        type: 'object',
        required: ['ready', 'troubles'],
        properties: {
          ready: { type: 'boolean' },
          troubles: {
            type: 'array',
            items: {
              type: 'object',
              required: ['part', 'code'],
              properties: {
                part: { enum: ['log', 'storage'] },
                code: {
                  type: 'string',
                  description:
                    "Of the last failure: the system's code for the log, as ENOSPC; an error code for storage",
                },
                lost: { type: 'integer', description: 'Of the log: lines lost since the process began' },
              },
            },
          },
        },
      },
    ),
  },
};
