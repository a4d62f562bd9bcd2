import { PARTICIPANT_HEADER, TICKET_HEADER } from '@coppice/protocol';

/** A part of the OpenAPI document. */
export type Json = { [key: string]: unknown };

/** The answer where an operation fails. */
export const failure = {
  description: 'A named error',
  content: { 'application/json': { schema: ref('Error') } },
};

/** An operation with its parameters, its body and its answer. */
export function operation(
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

/** The headers of a participant that is asked about a model. */
const TICKET = [PARTICIPANT_HEADER, TICKET_HEADER];

/** The path of a model's description. */
export function model(summary: string, path: string[]): Json {
  return { get: operation(summary, { type: 'object' }, { path, header: TICKET }) };
}

/** The path of a model's weights. */
export function weights(path: string[]): Json {
  return {
    get: {
      ...operation('Its float32 weights', {}, { path, header: TICKET }),
      responses: {
        200: { description: 'Little-endian float32', content: { 'application/octet-stream': {} } },
        default: failure,
      },
    },
  };
}

/** A named schema. */
export function ref(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

/** A list of values of a named schema. */
export function list(name: string): Json {
  return { type: 'array', items: ref(name) };
}

/** The paths of a model's files for other programs. @param folder the path of the model, without a slash at its end. */
export function exportPaths(folder: string, path: string[]): Json {
  const file = (summary: string, description: string): Json => ({
    get: {
      ...operation(summary, {}, { path, header: TICKET }),
      responses: {
        200: { description, content: { 'application/octet-stream': {} } },
        default: failure,
      },
    },
  });
  return {
    [`${folder}/model-float16.json`]: model('The same model with weights of half the size', path),
    [`${folder}/weights-float16.bin`]: file('Its weights as float16', 'Little-endian float16'),
    [`${folder}/model.safetensors`]: file('Its float32 weights by name', 'A safetensors file'),
    [`${folder}/model.onnx`]: file(
      'The model for other programs; refused where a layer has no translation',
      'An ONNX file of opset 17',
    ),
  };
}
