import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { legacyPath, pathSegment } from '../../../base/uplinks/webhooks/legacy-put.js';
import { report } from './local-bus.js';

const pathOf = (value: string | number | boolean, address = '192.168.1.10'): object =>
  legacyPath(report('hall-light', 1, { level: value }), address);

describe('the path of a reading for the original dashboard', () => {
  it.each([
    [512, '/webhook/update-unit/192.168.1.10/512'],
    [21.5, '/webhook/update-unit/192.168.1.10/21.5'],
    [true, '/webhook/update-unit/192.168.1.10/true'],
    ['a b', '/webhook/update-unit/192.168.1.10/a%20b'],
    ['%2e%2e', '/webhook/update-unit/192.168.1.10/%252e%252e'],
    ['#ff8800?x=1', '/webhook/update-unit/192.168.1.10/%23ff8800%3Fx%3D1'],
    ['a/b', '/webhook/update-unit/192.168.1.10/a%2Fb'],
    ['é\n', '/webhook/update-unit/192.168.1.10/%C3%A9%0A'],
    ['...', '/webhook/update-unit/192.168.1.10/...'],
  ])('of %j stays one segment', (value, path) => {
    expect(pathOf(value)).toEqual({ path });
  });

  it.each(['../../x', '..', '.', '', 'a/../b', '..\\x', 'x/.', '\ud800'])('does not exist for %j', (value) => {
    expect(pathOf(value)).toHaveProperty('refusal');
  });

  it('does not exist for a reading of several values, or of a list', () => {
    expect(legacyPath(report('u', 1, { a: 1, b: 2 }), '10.0.0.1')).toHaveProperty('refusal');
    expect(legacyPath(report('u', 1, { a: [1] }), '10.0.0.1')).toHaveProperty('refusal');
    expect(legacyPath(report('u', 1, {}), '10.0.0.1')).toHaveProperty('refusal');
  });

  it('names the unit as the original does, without its port 8888', () => {
    expect(pathOf(1, '192.168.1.10:8888')).toEqual({ path: '/webhook/update-unit/192.168.1.10/1' });
    expect(pathOf(1, '127.0.0.1:40123')).toEqual({ path: '/webhook/update-unit/127.0.0.1%3A40123/1' });
    expect(pathOf(1, '[::1]:8888')).toEqual({ path: '/webhook/update-unit/%3A%3A1/1' });
    expect(pathOf(1, '..')).toHaveProperty('refusal');
  });

  it('whatever the reading: names the same place of the dashboard, with one segment more', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[./\\\\%2ex]{0,8}$/)), (text) => {
        const segment = pathSegment(text);
        if (segment === undefined) return;
        const url = new URL(`https://dashboard.example/webhook/update-unit/10.0.0.1/${segment}`);
        expect(url.pathname.split('/')).toEqual(['', 'webhook', 'update-unit', '10.0.0.1', segment]);
        expect([decodeURIComponent(segment), url.search, url.hash]).toEqual([text, '', '']);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is bounded', () => {
    expect(pathSegment('x'.repeat(1_536))).toHaveLength(1_536);
    expect(pathSegment('x'.repeat(1_537))).toBeUndefined();
  });
});
