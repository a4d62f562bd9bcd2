import { planDescription, planFields } from '@coppice/protocol';
import * as z from 'zod/mini';
import { accessTable } from './access-table.ts';
import type { Json } from './openapi-operation.ts';
import { apiPaths } from './openapi-paths.ts';
import { apiSchemas } from './openapi-schemas.ts';

type ObjectJson = { properties: Record<string, Json> };

/** The OpenAPI 3.1 document, made from the schemas that requests are checked against. */
export function openApiDocument(version: string): Json {
  const components: Json = {};
  for (const [name, schema] of Object.entries(apiSchemas)) components[name] = toJson(schema);
  const { properties } = components.CreateRun as { properties: { plan: ObjectJson } };
  for (const plan of [properties.plan, components.Plan as ObjectJson]) describePlanFields(plan);
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
        key: { type: 'http', scheme: 'bearer', description: 'An API token, or the admin key.' },
        session: { type: 'apiKey', in: 'cookie', name: 'coppice_session' },
      },
    },
    paths: withSecurity(apiPaths),
  };
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
function withSecurity(paths: typeof apiPaths): Json {
  const secured = structuredClone(paths);
  for (const [method, path, need] of accessTable) {
    const found = secured[path.replace(/:(\w+)/g, '{$1}')]?.[method] as Json | undefined;
    if (found === undefined || need === 'public') continue;
    found.security = need === 'session' ? [{ session: [] }] : [{ key: [] }, { session: [] }];
    if (need !== 'session') found.description = `Scope: ${need}`;
  }
  return secured;
}

function toJson(schema: z.ZodMiniType): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
  }) as Json;
  return rest;
}
