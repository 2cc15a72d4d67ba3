import { describe, expect, test } from 'vitest';
import { AddressBook } from '../../../base/core/address-book.js';

const at = (last: number, port = 8888) => ({ host: `10.0.0.${last}`, port });

describe('where a unit is', () => {
  test('is where the configuration says, until it is found elsewhere; what was met and configured stays to fall back to', () => {
    const book = new AddressBook();
    book.configure('lamp', at(1));
    expect(book.placesOf('lamp')).toEqual([at(1)]);
    book.found('lamp', at(2));
    expect(book.placesOf('lamp')).toEqual([at(2), at(1)]);
    expect(book.met('lamp', at(2))).toEqual(at(1));
    book.found('lamp', at(3));
    expect(book.placesOf('lamp')).toEqual([at(3), at(2), at(1)]);
    // Whoever announced it there was not the unit.
    expect(book.met('lamp', at(2))).toBeUndefined();
    expect(book.placesOf('lamp')).toEqual([at(2), at(1)]);
    // So what is announced next comes behind where it was met, until it is right.
    book.found('lamp', at(4));
    expect(book.placesOf('lamp')).toEqual([at(2), at(4), at(1)]);
    expect(book.met('lamp', at(4))).toEqual(at(2));
    book.found('lamp', at(5));
    expect(book.of('lamp')).toEqual(at(5));
  });

  test('is nowhere for one that is to be found by mDNS and was not yet', () => {
    const book = new AddressBook();
    book.configure('lamp', 'mdns');
    expect([book.of('lamp'), book.placesOf('lamp')]).toEqual([undefined, []]);
    book.found('lamp', at(2));
    expect(book.of('lamp')).toEqual(at(2));
    expect(book.met('lamp', at(2))).toBeUndefined();
    book.found('lamp', at(3));
    expect(book.met('lamp', at(3))).toEqual(at(2));
  });

  test('is kept of configured units that are dialled only', () => {
    const book = new AddressBook();
    const heard: string[] = [];
    book.configure('attic', undefined);
    const leave = book.onFound((uid) => void heard.push(uid));
    for (const uid of ['attic', 'stranger']) {
      book.found(uid, at(2));
      book.met(uid, at(2));
      expect(book.placesOf(uid)).toEqual([]);
    }
    expect([heard, book.uidAt(at(2))]).toEqual([[], undefined]);
    book.configure('lamp', at(1));
    book.found('lamp', at(1));
    leave();
    book.found('lamp', at(2));
    expect(heard).toEqual(['lamp']);
  });

  test('is known by its address too, through all that moves', () => {
    const book = new AddressBook();
    book.configure('lamp', { host: 'Lamp.local', port: 8888 });
    book.configure('hall', at(1));
    book.found('lamp', at(2));
    expect(['lamp.local', '10.0.0.2', '10.0.0.1'].map((host) => book.uidAt({ host, port: 8888 }))).toEqual([
      'lamp',
      'lamp',
      'hall',
    ]);
    book.found('lamp', at(3));
    expect([book.uidAt(at(2)), book.uidAt(at(3)), book.uidAt(at(3, 9999))]).toEqual([undefined, 'lamp', undefined]);
    // Two are said to be there: the one that was there first.
    book.found('lamp', at(1));
    expect(book.uidAt(at(1))).toBe('hall');
    book.remove('hall');
    expect(book.uidAt(at(1))).toBe('lamp');
    book.configure('hall', at(1));
    book.remove('lamp');
    expect([book.of('lamp'), book.uidAt({ host: 'lamp.local', port: 8888 }), book.uidAt(at(1))]).toEqual([
      undefined,
      undefined,
      'hall',
    ]);
  });
});
