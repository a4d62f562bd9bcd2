import {
  CheckpointSchema,
  CreateRunSchema,
  CreateTaskSchema,
  EventSchema,
  InfoSchema,
  LoginSchema,
  ParticipantRowSchema,
  PlanSchema,
  planFields,
  RoundSchema,
  RunActionSchema,
  RunSchema,
  RunSummarySchema,
  TaskInfoSchema,
  TaskSchema,
} from '@coppice/protocol';
import * as z from 'zod/mini';

type Json = { [key: string]: unknown };

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
};

/** The OpenAPI 3.1 document, made from the schemas that requests are checked against. */
export function openApiDocument(version: string): Json {
  const components: Json = {};
  for (const [name, schema] of Object.entries(schemas)) components[name] = toJson(schema);
  const plan = (components.CreateRun as { properties: { plan: { properties: Record<string, Json> } } })
    .properties.plan;
  for (const [name, { help }] of Object.entries(planFields)) {
    const field = plan.properties[name];
    if (field !== undefined) field.description = help.en;
  }
  return {
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
        key: { type: 'http', scheme: 'bearer', description: 'The admin key.' },
        session: { type: 'apiKey', in: 'cookie', name: 'coppice_session' },
      },
    },
    paths: {
      '/api/info': { get: operation('What coordinator this is', ref('Info')) },
      '/api/openapi.json': { get: operation('This document', { type: 'object' }) },
      '/api/session': {
        get: operation('Whether this browser holds an admin session', adminFlag),
        post: operation('Exchange the admin key for a session cookie', adminFlag, { body: 'Login' }),
        delete: operation('Sign out', adminFlag),
      },
      '/api/tasks': {
        get: operation('All tasks', list('TaskInfo')),
        post: operation('Add a task of your own', ref('TaskInfo'), {
          body: 'CreateTask',
          admin: true,
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
          admin: true,
          status: '201',
        }),
      },
      '/api/runs/{run}': { get: operation('One run', ref('Run'), { path: ['run'], admin: true }) },
      '/api/runs/{run}/plan': {
        get: operation('Its plan, for everyone who considers taking part', ref('Plan'), { path: ['run'] }),
      },
      '/api/runs/{run}/rounds': {
        get: operation('Its rounds, oldest first', list('Round'), { path: ['run'], admin: true }),
      },
      '/api/runs/{run}/checkpoints': {
        get: operation('Its checkpoints, newest first', list('Checkpoint'), { path: ['run'], admin: true }),
      },
      '/api/runs/{run}/participants': {
        get: operation('Its participants', list('ParticipantRow'), { path: ['run'], admin: true }),
      },
      '/api/runs/{run}/{action}': {
        post: operation('Start, pause, resume or stop it, or end its open round now', ref('Run'), {
          path: ['run', 'action'],
          admin: true,
        }),
      },
      '/api/events': {
        get: operation('The event log, oldest first', list('Event'), {
          query: ['run', 'after'],
          admin: true,
        }),
      },
      '/models/{task}/{version}/model.json': {
        get: operation(
          'A model for tf.loadLayersModel; version is "latest" or a checkpoint\'s hash',
          { type: 'object' },
          { path: ['task', 'version'] },
        ),
      },
      '/models/{task}/{version}/weights.bin': {
        get: {
          ...operation('Its float32 weights', {}, { path: ['task', 'version'] }),
          responses: {
            200: { description: 'Little-endian float32', content: { 'application/octet-stream': {} } },
            default: failure,
          },
        },
      },
      '/healthz': { get: operation('Whether the process lives', { type: 'object' }) },
      '/readyz': {
        get: operation('Whether it serves participants: 200, or 503 while it recovers or stops', {
          type: 'object',
        }),
      },
    },
  };
}

const failure = { description: 'A named error', content: { 'application/json': { schema: ref('Error') } } };
const adminFlag = { type: 'object', properties: { admin: { type: 'boolean' } } };

function operation(
  summary: string,
  schema: Json,
  {
    path = [],
    query = [],
    body,
    admin = false,
    status = '200',
  }: { path?: string[]; query?: string[]; body?: string; admin?: boolean; status?: string } = {},
): Json {
  const at = (where: string, required: boolean) => (name: string) => ({
    name,
    in: where,
    required,
    schema: { type: 'string' },
  });
  return {
    summary,
    parameters: [...path.map(at('path', true)), ...query.map(at('query', false))],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: ref(body) } } } }),
    ...(admin ? { security: [{ key: [] }, { session: [] }] } : {}),
    responses: {
      [status]: { description: summary, content: { 'application/json': { schema } } },
      default: failure,
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
