import { OLDEST_SERVED_VERSION, PROTOCOL_VERSION } from '@coppice/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../coordinator.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { openApiDocument } from './openapi.ts';
import { protocolDocument } from './protocol-document.ts';

let coordinator: Coordinator;

beforeAll(async () => {
  coordinator = await startCoordinator({
    config: { port: 0, adminKey: 'a-key-for-tests', logLevel: 'silent' },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
});
afterAll(() => coordinator.close());

describe('/api/protocol.json', () => {
  it('describes every message to everyone, as JSON Schemas', async () => {
    const response = await fetch(`${coordinator.url}/api/protocol.json`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('application/json');
    const document = await response.json();
    expect(document).toEqual(JSON.parse(JSON.stringify(protocolDocument())));
    expect(document).toMatchObject({
      protocol: PROTOCOL_VERSION,
      oldest: OLDEST_SERVED_VERSION,
      hello: { type: 'object', required: ['protocol', 'key'] },
      messages: {
        answer: { direction: 'up', schema: { required: expect.arrayContaining(['ticket', 'frame']) } },
        ask: { direction: 'down', reply: null },
        progress: { direction: 'up', reply: null },
      },
    });
    type Form = { type: string } | { anyOf: { type: string }[] };
    const { messages } = document as { messages: Record<string, { schema: Form }> };
    for (const { schema } of Object.values(messages))
      for (const { type } of 'anyOf' in schema ? schema.anyOf : [schema]) expect(type).toBe('object');
  });

  it('can be read, and not written to', async () => {
    const response = await fetch(`${coordinator.url}/api/protocol.json`, { method: 'POST' });
    expect(response.status).toBe(404);
  });

  it('is in the OpenAPI document with the fields that it has', () => {
    const paths = openApiDocument('test')['paths'] as Record<string, { get: object }>;
    expect(paths['/api/protocol.json']?.get).toMatchObject({
      responses: {
        200: {
          content: { 'application/json': { schema: { required: Object.keys(protocolDocument()) } } },
        },
      },
    });
  });
});
