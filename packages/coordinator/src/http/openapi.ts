import {
  AcceptInvitationSchema,
  AccountSchema,
  AdminInvitationSchema,
  AdminSchema,
  AdminSessionSchema,
  ApiTokenSchema,
  AuditEntrySchema,
  BanSchema,
  ChangeAdminSchema,
  ChangeAdmissionSchema,
  CheckpointSchema,
  CreateBanSchema,
  CreateRunInvitationSchema,
  CreateRunSchema,
  CreateTaskSchema,
  CreateTokenSchema,
  EventSchema,
  InfoSchema,
  InviteAdminSchema,
  ListedParticipantSchema,
  ListParticipantsSchema,
  LoginSchema,
  NewAdminInvitationSchema,
  NewApiTokenSchema,
  NewRunInvitationSchema,
  PARTICIPANT_HEADER,
  ParticipantRowSchema,
  PlanSchema,
  planDescription,
  planFields,
  RoundSchema,
  RunActionSchema,
  RunAdmissionSchema,
  RunInvitationSchema,
  RunSchema,
  RunSummarySchema,
  SessionStateSchema,
  TaskInfoSchema,
  TaskSchema,
  TICKET_HEADER,
} from '@coppice/protocol';
import * as z from 'zod/mini';
import { EVENTS_A_PAGE } from '../storage/storage.ts';
import { accessTable } from './access-table.ts';

type Json = { [key: string]: unknown };
type ObjectJson = { properties: Record<string, Json> };

const schemas = {
  Info: InfoSchema,
  Login: LoginSchema,
  Task: TaskSchema,
  TaskInfo: TaskInfoSchema,
  CreateTask: CreateTaskSchema,
  RunSummary: RunSummarySchema,
  Run: RunSchema,
  CreateRun: CreateRunSchema,
  Plan: PlanSchema,
  RunAction: RunActionSchema,
  Round: RoundSchema,
  Checkpoint: CheckpointSchema,
  ParticipantRow: ParticipantRowSchema,
  Event: EventSchema,
  SessionState: SessionStateSchema,
  Account: AccountSchema,
  Admin: AdminSchema,
  ChangeAdmin: ChangeAdminSchema,
  InviteAdmin: InviteAdminSchema,
  AdminInvitation: AdminInvitationSchema,
  NewAdminInvitation: NewAdminInvitationSchema,
  AcceptInvitation: AcceptInvitationSchema,
  CreateToken: CreateTokenSchema,
  ApiToken: ApiTokenSchema,
  NewApiToken: NewApiTokenSchema,
  AdminSession: AdminSessionSchema,
  AuditEntry: AuditEntrySchema,
  RunAdmission: RunAdmissionSchema,
  ChangeAdmission: ChangeAdmissionSchema,
  RunInvitation: RunInvitationSchema,
  CreateRunInvitation: CreateRunInvitationSchema,
  NewRunInvitation: NewRunInvitationSchema,
  ListedParticipant: ListedParticipantSchema,
  ListParticipants: ListParticipantsSchema,
  Ban: BanSchema,
  CreateBan: CreateBanSchema,
};

/** The OpenAPI 3.1 document, made from the schemas that requests are checked against. */
export function openApiDocument(version: string): Json {
  const components: Json = {};
  for (const [name, schema] of Object.entries(schemas)) components[name] = toJson(schema);
  const { properties } = components.CreateRun as { properties: { plan: ObjectJson } };
  for (const plan of [properties.plan, components.Plan as ObjectJson]) describePlanFields(plan);
  return withSecurity({
    openapi: '3.1.0',
    info: {
      title: 'Coppice',
      version,
      description: 'The coordinator of a federated learning system that keeps its model good.',
    },
    components: {
      schemas: {
        ...components,
        Error: {
          type: 'object',
          required: ['error'],
          properties: {
            error: {
              type: 'object',
              required: ['code', 'message'],
              properties: { code: { type: 'string' }, message: { type: 'string' } },
            },
          },
        },
      },
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'An API token, or the admin key.' },
        session: { type: 'apiKey', in: 'cookie', name: 'coppice_session' },
      },
    },
    paths: {
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
        post: operation('Add a task of your own', ref('TaskInfo'), {
          body: 'CreateTask',
          status: '201',
        }),
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
          ...operation(
            'Tell a page of another origin which headers it may send',
            {},
            { path: ['run', 'hash'] },
          ),
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
        'A model for tf.loadLayersModel; version is a checkpoint\'s hash, or "latest": the highest committed round of the newest run that has one',
        ['task', 'version'],
      ),
      '/models/{task}/{version}/weights.bin': weights(['task', 'version']),
      '/models/{task}/runs/{run}/{round}/model.json': model(
        'The model of one run after a round; 0 for its first weights, "latest" for its highest committed round',
        ['task', 'run', 'round'],
      ),
      '/models/{task}/runs/{run}/{round}/weights.bin': weights(['task', 'run', 'round']),
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
    },
  });
}

/** Adds to each property of a plan its description, with unit and strategies, and its default. */
function describePlanFields(plan: ObjectJson): void {
  for (const [name, { help, consequence, unit, default: initial }] of Object.entries(planFields)) {
    const property = plan.properties[name];
    if (property === undefined) continue;
    const owners = planDescription.strategiesOf(name);
    const notes = [
      ...(unit === undefined ? [] : [`Unit: ${unit.en}.`]),
      ...(owners === null ? [] : [`Only with the strategy ${owners.join(' or ')}.`]),
    ];
    property.description = [help.en, consequence.en, ...notes].join(' ');
    property.default = initial;
  }
}

/** Says of each operation what it asks for, from the table that decides it. */
function withSecurity<T extends { paths: Record<string, Json> }>(document: T): T {
  for (const [method, path, need] of accessTable) {
    const found = document.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method] as Json | undefined;
    if (found === undefined || need === 'public') continue;
    found.security = need === 'session' ? [{ session: [] }] : [{ key: [] }, { session: [] }];
    if (need !== 'session') found.description = `Scope: ${need}`;
  }
  return document;
}

const failure = { description: 'A named error', content: { 'application/json': { schema: ref('Error') } } };

function operation(
  summary: string,
  schema: Json,
  {
    path = [],
    query = [],
    header = [],
    body,
    status = '200',
  }: { path?: string[]; query?: string[]; header?: string[]; body?: string; status?: string } = {},
): Json {
  const at = (where: string, required: boolean) => (name: string) => ({
    name,
    in: where,
    required,
    schema: { type: 'string' },
  });
  return {
    summary,
    parameters: [
      ...path.map(at('path', true)),
      ...query.map(at('query', false)),
      ...header.map(at('header', false)),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: ref(body) } } } }),
    responses: {
      [status]: { description: summary, content: { 'application/json': { schema } } },
      default: failure,
    },
  };
}

function model(summary: string, path: string[]): Json {
  return { get: operation(summary, { type: 'object' }, { path }) };
}

function weights(path: string[]): Json {
  return {
    get: {
      ...operation('Its float32 weights', {}, { path }),
      responses: {
        200: { description: 'Little-endian float32', content: { 'application/octet-stream': {} } },
        default: failure,
      },
    },
  };
}

function ref(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

function list(name: string): Json {
  return { type: 'array', items: ref(name) };
}

function toJson(schema: z.ZodMiniType): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
  }) as Json;
  return rest;
}
