import { expect, it } from 'vitest';
import { startApi, TOKEN } from './running-api.js';

const limits = { requestBurst: 10_000 };
const values: Readonly<Record<string, string>> = { unit: 'kitchen-lamp', id: 'a', endpoint: 'webhook-1' };

it('every route but /healthz is open to the token, and to nobody else', async () => {
  const { url, call } = await startApi({ limits });
  const { body: document } = await call('/api/v1/openapi.json');
  const routes = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({
      method: method.toUpperCase(),
      path: path.replace(/\{(\w+)\}/g, (_, name: string) => values[name]!),
    })),
  );
  expect(routes.length).toBeGreaterThan(15);
  const ask = async (method: string, path: string, authorization: string | undefined) => {
    const headers = authorization === undefined ? {} : { authorization };
    const response = await fetch(`${url}${path}`, { method, headers });
    const type = response.headers.get('content-type') ?? '';
    await response.body?.cancel();
    return { status: response.status, type };
  };
  for (const { method, path } of routes) {
    const isOpen = path === '/healthz';
    for (const wrong of [undefined, `Bearer ${TOKEN.slice(1)}`, `Basic ${Buffer.from(TOKEN).toString('base64')}`]) {
      const { status, type } = await ask(method, path, wrong);
      expect([method, path, wrong, status]).toEqual([method, path, wrong, isOpen ? 200 : 401]);
      if (!isOpen) expect(type).toMatch(/^application\/problem\+json/);
    }
    const { status } = await ask(method, path, `Bearer ${TOKEN}`);
    // Without a body, and for a command that was never sent, the answer is a refusal of another kind.
    expect([method, path, [200, 204, 400, 404, 415].includes(status)]).toEqual([method, path, true]);
  }
});
