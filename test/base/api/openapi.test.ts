import type { FastifyInstance, FastifyServerOptions, RouteOptions } from 'fastify';
import { describe, expect, it, vi } from 'vitest';
import { type ConnectorDocument, connectorDocument } from '../../../base/api/connector/connector-openapi.js';
import { startApi } from './running-api.js';

/** What any Fastify here was told to serve. */
const { routes } = vi.hoisted(() => ({ routes: [] as string[] }));
vi.mock('fastify', async (original) => {
  const real = await original<typeof import('fastify')>();
  const watched = (options: FastifyServerOptions): FastifyInstance => {
    const app: FastifyInstance = real.default(options);
    app.addHook('onRoute', ({ method, url }: RouteOptions) => {
      routes.push(...[method].flat().map((each) => `${each} ${url}`));
    });
    return app;
  };
  return { ...real, default: watched };
});

// biome-ignore lint/suspicious/noExplicitAny: a document is looked into
type Json = any;

const document = async (): Promise<Json> => {
  const { call } = await startApi();
  const { status, body } = await call('/api/v1/openapi.json');
  expect(status).toBe(200);
  return body;
};

const operations = (api: Json): [string, Json][] =>
  Object.entries(api.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Json] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );

describe('the OpenAPI document', () => {
  it('has every route, its own too', async () => {
    const api = await document();
    expect(api.openapi).toBe('3.1.0');
    expect(api.info).toMatchObject({ title: 'baseunit: test', version: '1.2.3' });
    expect(
      operations(api)
        .map(([route]) => route)
        .sort(),
    ).toEqual([
      'DELETE /api/v1/elfin/users/{uuid}',
      'DELETE /api/v1/units/{unit}',
      'GET /api/v1/connections',
      'GET /api/v1/discovered',
      'GET /api/v1/elfin/devices',
      'GET /api/v1/elfin/tunnels',
      'GET /api/v1/elfin/users',
      'GET /api/v1/events',
      'GET /api/v1/openapi.json',
      'GET /api/v1/outbox',
      'GET /api/v1/outbox/{endpoint}/dead',
      'GET /api/v1/status',
      'GET /api/v1/units',
      'GET /api/v1/units/{unit}',
      'GET /api/v1/units/{unit}/commands/{id}',
      'GET /api/v1/units/{unit}/definition',
      'GET /api/v1/units/{unit}/history',
      'GET /api/v1/units/{unit}/logs',
      'GET /healthz',
      'GET /metrics',
      'POST /api/v1/backups',
      'POST /api/v1/discovered/{unit}/adopt',
      'POST /api/v1/outbox/{endpoint}/enable',
      'POST /api/v1/outbox/{endpoint}/replay',
      'POST /api/v1/units/{unit}/commands',
      'POST /api/v1/units/{unit}/queries',
      'PUT /api/v1/elfin/users/{uuid}',
    ]);
  });

  it('has the routes that there are, and no others', async () => {
    routes.length = 0;
    const api = await document();
    const written = routes.map((route) => route.replace(/:(\w+)/g, '{$1}')).sort();
    expect(written.length).toBeGreaterThan(15);
    expect(
      operations(api)
        .map(([route]) => route)
        .sort(),
    ).toEqual(written);
  });

  it('says for every route what it is for, what it answers, and each way it refuses', async () => {
    const api = await document();
    for (const [route, operation] of operations(api)) {
      expect(operation.operationId, route).toMatch(/^[a-z][A-Za-z]+$/);
      expect(operation.summary, route).not.toBe('');
      const { 200: ok, 204: done, ...refusals } = operation.responses;
      if (done === undefined)
        expect(Object.values(ok.content as object), route).toEqual([
          expect.objectContaining({ schema: expect.any(Object) }),
        ]);
      else expect([route, ok, done.content]).toEqual([expect.stringMatching(/^DELETE /), undefined, undefined]);
      const statuses = Object.keys(refusals);
      if (route === 'GET /healthz') expect(statuses).toEqual(['403', '431', '503']);
      else expect(statuses, route).toEqual(expect.arrayContaining(['401', '403', '429', '431', '500', '503']));
      for (const [status, refusal] of Object.entries<Json>(refusals)) {
        expect(refusal.description, `${route} ${status}`).not.toMatch(/default/i);
        if (route === 'GET /healthz' && status === '503') continue;
        expect(refusal.content, `${route} ${status}`).toEqual({
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        });
      }
    }
    expect(Object.keys(api.paths['/api/v1/units/{unit}/commands'].post.responses)).toEqual(
      expect.arrayContaining(['400', '404', '413', '415']),
    );
  });

  it('says which routes need the token', async () => {
    const api = await document();
    expect(api.components.securitySchemes.token).toMatchObject({ type: 'http', scheme: 'bearer' });
    expect(api.security).toEqual([{ token: [] }]);
    const open = operations(api).filter(([, operation]) => operation.security?.length === 0);
    expect(open.map(([route]) => route)).toEqual(['GET /healthz']);
  });

  it('has the schemas of all that is taken and given', async () => {
    const api = await document();
    expect(Object.keys(api.components.schemas).sort()).toEqual([
      'Adopt',
      'Command',
      'CommandStatus',
      'Connection',
      'DeadLetter',
      'Definition',
      'Discovered',
      'ElfinDevice',
      'ElfinTunnel',
      'ElfinUser',
      'ElfinUserInput',
      'History',
      'Logs',
      'Outbox',
      'Outcome',
      'Problem',
      'Query',
      'QueryOutcome',
      'Replay',
      'Status',
      'Unit',
    ]);
    expect(api.components.schemas.Command.properties).toMatchObject({
      id: { type: 'string', maxLength: 64 },
      line: { maxLength: 64 },
      ttlS: { type: 'number', exclusiveMinimum: 0, maximum: 86_400 },
    });
    expect(api.components.schemas.Command.additionalProperties).toBe(false);
    expect(api.components.schemas.Command.properties.format.enum).toEqual(['json', 'ascii', 'utf8', 'binary']);
    expect(api.components.schemas.Command.properties.payload).toMatchObject({ description: expect.any(String) });
    expect(api.components.schemas.Outcome.properties).toMatchObject({
      code: { type: 'integer' },
      payload: { properties: { format: {}, value: {} } },
    });
    expect(api.components.schemas.Unit.properties.dialect).toMatchObject({ type: 'string' });
    expect(api.components.schemas.Unit.properties.dialect.enum).toBeUndefined();
    expect(api.components.schemas.Unit.required).not.toEqual(expect.arrayContaining(['definition']));
    expect(api.components.schemas.Outcome.required).toEqual(['id', 'unit', 'command', 'outcome', 'at']);
    expect(api.components.schemas.Problem.required).toEqual(['type', 'title', 'status', 'detail']);
    const commands = api.paths['/api/v1/units/{unit}/commands'].post;
    expect(commands.requestBody.content['application/json'].schema).toEqual({ $ref: '#/components/schemas/Command' });
    expect(commands.parameters).toEqual([expect.objectContaining({ in: 'path', name: 'unit', required: true })]);
    expect(commands.responses[200].content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/Outcome',
    });
    const events = api.paths['/api/v1/events'].get;
    expect(events.parameters.map(({ in: where, name }: Json) => `${where} ${name}`).sort()).toEqual([
      'header last-event-id',
      'query kind',
      'query unit',
    ]);
    expect(Object.keys(events.responses[200].content)).toEqual(['text/event-stream']);
    expect(api.components.schemas.Unit.required).toContain('waiting');
    const history = api.paths['/api/v1/units/{unit}/history'].get;
    const queries = history.parameters.filter(({ in: where }: Json) => where === 'query');
    expect(Object.fromEntries(queries.map(({ name, schema }: Json) => [name, schema.type]))).toEqual({
      report: 'string',
      from: 'integer',
      to: 'integer',
      resolution: 'string',
      limit: 'integer',
    });
    expect(queries.some(({ required }: Json) => required)).toBe(false);
    expect(queries.find(({ name }: Json) => name === 'limit').schema).toMatchObject({ minimum: 1, maximum: 10_000 });
    const users = api.paths['/api/v1/elfin/users'].get.responses[200].content['application/json'].schema;
    expect(users).toMatchObject({
      required: ['users'],
      properties: { users: { type: 'array', items: { $ref: '#/components/schemas/ElfinUser' } } },
    });
    expect(api.components.schemas.ElfinUserInput.properties).toMatchObject({
      name: { type: 'string', maxLength: 128 },
      secret: { type: ['string', 'null'] },
    });
    const replay = api.paths['/api/v1/outbox/{endpoint}/replay'].post;
    expect(replay.requestBody.content['application/json'].schema).toEqual({ $ref: '#/components/schemas/Replay' });
    const dead = api.paths['/api/v1/outbox/{endpoint}/dead'].get.responses[200].content['application/json'].schema;
    expect(dead.properties).toMatchObject({
      dead: { items: { $ref: '#/components/schemas/DeadLetter' } },
      next: { type: 'integer' },
    });
  });

  it('has the routes of the connector’s API where that is there, with their server and their credentials', async () => {
    const own = await document();
    let connector: ConnectorDocument | undefined;
    const { call } = await startApi({ connector: async () => connector });
    const asked = async (): Promise<Json> => (await call('/api/v1/openapi.json')).body;
    expect(await asked()).toEqual(own);
    connector = connectorDocument('https://127.0.0.1:9090', 'basic');
    const both = await asked();
    expect(Object.keys(both.paths).sort()).toEqual(
      [...Object.keys(own.paths), '/cloud-connector/status', '/cloud-connector/status/stream', '/devices']
        .concat('/devices/{id}/show', '/devices/status/{id}', '/devices/command/{id}', '/devices/query/{id}')
        .sort(),
    );
    for (const path of Object.keys(own.paths)) expect(both.paths[path]).toEqual(own.paths[path]);
    const { servers, get } = both.paths['/devices'];
    expect(servers).toEqual([{ url: 'https://127.0.0.1:9090' }]);
    expect(both.components.schemas).toEqual(own.components.schemas);
    for (const name of get.security.flatMap(Object.keys)) expect(both.components.securitySchemes).toHaveProperty(name);
    expect(both.components.securitySchemes).toMatchObject({
      token: { scheme: 'bearer' },
      connector: { scheme: 'basic' },
    });
    expect(both.tags.map(({ name }: Json) => name)).toEqual([
      'units',
      'events',
      'outbox',
      'elfin',
      'base',
      'connector',
    ]);
    const ids = operations(both).flatMap(([, { operationId }]) => operationId ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    expect(both.security).toEqual([{ token: [] }]);
  });

  it('refers to nothing that it does not have', async () => {
    const api = await document();
    const references = [...JSON.stringify(api).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
      ([, name]) => name!,
    );
    expect(references.length).toBeGreaterThan(5);
    for (const name of references) expect(api.components.schemas).toHaveProperty(name);
    expect([...JSON.stringify(api).matchAll(/"\$ref":"(?!#\/components\/schemas\/)/g)]).toEqual([]);
  });
});
