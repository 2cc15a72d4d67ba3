import { BlockList, isIP, isIPv4 } from 'node:net';
import { UID_OCTETS } from '../../protocol/iotsocket/uid.js';
import type { Address } from '../core/address.js';
import { isUid } from '../core/unit-uid.js';
import type { Announced } from './mdns.js';

/** What a unit says of its key: there is none yet; it is a line unit, which has none; or what knows it again. */
export type AnnouncedKey = 'none' | 'line' | { readonly marker: string };

/** A unit as it announces itself. Nothing of it is proved. */
export interface AnnouncedUnit {
  readonly uid: string;
  readonly definition: string;
  readonly version: string;
  /** 16 hexadecimal digits. */
  readonly fingerprint: string;
  readonly key: AnnouncedKey;
  readonly mac: string | undefined;
  readonly board: string | undefined;
  /** `lamp.local`. */
  readonly host: string;
  /** Where it may be, the best first; at least one. */
  readonly addresses: readonly Address[];
}

export type ReadAnnounced =
  | { readonly ok: true; readonly unit: AnnouncedUnit }
  /** `what` follows its name. */
  | { readonly ok: false; readonly what: string };

/** wire/unit.md, "Fields": what `defineUnit` takes. */
const MAX_DEFINITION_OCTETS = 32;
const MAX_VERSION_OCTETS = 24;
const MAX_BOARD_CHARACTERS = 32;
const macAddress = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

/** Reads what `_baseunit._tcp` says of a unit. Never throws: whoever is on the network may announce anything. */
export function readAnnounced({ name, host, addresses, port, txt }: Announced): ReadAnnounced {
  const no = (what: string): ReadAnnounced => ({ ok: false, what });
  if (!isUnitUid(name)) return no(`has a name that is no UID, which has 1 to ${UID_OCTETS} octets`);
  if (txt === undefined) return no('has a TXT record that cannot be read');
  const definition = txt.get('definition');
  if (definition === undefined || !fits(definition, MAX_DEFINITION_OCTETS)) return no('names no definition');
  const version = txt.get('version');
  if (version === undefined || !fits(version, MAX_VERSION_OCTETS)) return no('names no version');
  const fingerprint = txt.get('fingerprint')?.toLowerCase();
  if (fingerprint === undefined || !/^[0-9a-f]{16}$/.test(fingerprint)) return no('has no fingerprint');
  const key = readKey(txt.get('key'));
  if (key === undefined) return no('does not say whether it has a key');
  const mac = txt.get('mac');
  if (mac !== undefined && !macAddress.test(mac)) return no('has a mac that is none');
  const board = txt.get('board');
  if (board !== undefined && !fits(board, MAX_BOARD_CHARACTERS)) return no('has a board that is none');
  const places = bestFirst(addresses).map((address): Address => ({ host: address, port }));
  if (places.length === 0) return no('has no address that can be dialled');
  const unit = { uid: name, definition, version, fingerprint, key, mac: mac?.toLowerCase(), board, host };
  return { ok: true, unit: { ...unit, addresses: places } };
}

/** IPv4 first; of each family those that are routed before those of one link. What no device on the network has is left out. */
export function bestFirst(addresses: readonly string[]): readonly string[] {
  return addresses
    .filter(isDialled)
    .map((address, index) => ({ address, index, rank: (isIPv4(address) ? 0 : 2) + (isLinkLocal(address) ? 1 : 0) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ address }) => address);
}

function isUnitUid(name: string): boolean {
  return fits(name, UID_OCTETS) && isUid(name);
}

const fits = (text: string, maxOctets: number): boolean =>
  text !== '' && new TextEncoder().encode(text).length <= maxOctets;

function readKey(text: string | undefined): AnnouncedKey | undefined {
  if (text === 'none' || text === 'line') return text;
  return text !== undefined && /^[0-9a-f]{8}$/i.test(text) ? { marker: text.toLowerCase() } : undefined;
}

/** Not this machine itself, not everybody, not nobody: the base is not to be made to dial those. */
function isDialled(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !undialledIPv4.check(address);
    case 6:
      // One of a link means nothing without that link.
      return (
        !undialledIPv6.check(address.replace(/%.*$/, ''), 'ipv6') && (!isLinkLocal(address) || address.includes('%'))
      );
    default:
      return false;
  }
}

// One list each: Node takes every IPv4 address for one of those IPv6 addresses that stand for IPv4.
const undialledIPv4 = new BlockList();
undialledIPv4.addSubnet('0.0.0.0', 8);
undialledIPv4.addSubnet('127.0.0.0', 8);
undialledIPv4.addSubnet('224.0.0.0', 3);
const undialledIPv6 = new BlockList();
undialledIPv6.addSubnet('::', 127, 'ipv6');
undialledIPv6.addSubnet('::ffff:0:0', 96, 'ipv6');
undialledIPv6.addSubnet('ff00::', 8, 'ipv6');

const isLinkLocal = (address: string): boolean => /^(169\.254\.|fe[89ab])/i.test(address);
