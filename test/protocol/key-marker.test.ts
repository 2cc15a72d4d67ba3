import { expect, test } from 'vitest';
import { nodeCrypto, systemRandom } from '../../base/system.js';
import { keyMarker } from '../../protocol/iotsocket/key-marker.js';

const crypto = nodeCrypto(systemRandom);
/** That of the vectors of wire/unit.md. */
const key = new Uint8Array(16).fill(0x43, 0, 8).fill(0x44, 8);

test('the marker of a key is as the firmware announces it', () => {
  expect(keyMarker(crypto, key, 'ObjTest')).toBe('d0e4ae16');
});

test('it is another one for each key, and for each unit', () => {
  const all = [
    keyMarker(crypto, key, 'lamp'),
    keyMarker(crypto, key, 'hall'),
    keyMarker(crypto, new Uint8Array(16), 'lamp'),
  ];
  expect(new Set(all).size).toBe(3);
});
