import { describe, expect, it } from 'vitest';
import { MAX_CHANNEL_NAME_LENGTH, parseChannelName } from '../../../base/hub/channel-name.js';

describe('channel names', () => {
  it.each([
    ['room', 'public', false],
    ['cache-room', 'public', true],
    ['private-room', 'private', false],
    ['private-cache-room', 'private', true],
    ['private-encrypted-room', 'encrypted', false],
    ['private-encrypted-cache-room', 'encrypted', true],
    ['presence-room', 'presence', false],
    ['presence-cache-room', 'presence', true],
    ['my-private-room', 'public', false],
    ['private-my-cache-room', 'private', false],
    ['cache-private-room', 'public', true],
    ['A_z-0=@,.;', 'public', false],
  ])('%s is %s, cache %s', (text, kind, cache) => {
    expect(parseChannelName(text)).toEqual({ text, kind, cache });
  });

  it('knows the channel of one user', () => {
    expect(parseChannelName('#server-to-user-a b/ü')).toEqual({
      text: '#server-to-user-a b/ü',
      kind: 'user',
      cache: false,
      user: 'a b/ü',
    });
  });

  it.each(['', 'a b', 'a/b', 'ü', 'a:b', '#room', '#server-to-user-', 'room\n', 7, null, undefined, {}])(
    'refuses %j',
    (text) => {
      expect(parseChannelName(text)).toBeUndefined();
    },
  );

  it('allows 200 characters and not one more', () => {
    expect(MAX_CHANNEL_NAME_LENGTH).toBe(200);
    expect(parseChannelName('a'.repeat(200))).toBeDefined();
    expect(parseChannelName('a'.repeat(201))).toBeUndefined();
  });
});
