import { checkLegacyConfiguration } from '../../../base/config/legacy-config.js';
import { checkLegacyIotsocket } from '../../../base/config/legacy-iotsocket.js';
import { type Checked, checkConfiguration } from '../../../base/config/schema.js';
import { Secrets } from '../../../base/config/secrets.js';

/** So long and strange that no known key is near: the message then names all that are known in that place. */
const STRANGER = 'qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq';
const KNOWN = /known here: (.*)$|which has (.*); to use it/;

/** How the documents write the names in such an object. */
const recordSuffixes: Readonly<Record<string, string | undefined>> = { groups: '.<name>', flows: '.<flow>' };

type Check = (raw: unknown) => Checked<unknown>;

const secrets = new Secrets('/', {});

/** Every key that `base.json` may have, as the documents write it: `hub.apps[].id`, `units.known.<uid>.key`, `yamqtt.flows.<flow>.report`. */
export function acceptedKeys(): string[] {
  return keysOf((raw) => checkConfiguration(raw, '/base.json', new Map(), secrets));
}

/** Every key of the original concentrator's `config.json`. */
export function acceptedConcentratorKeys(): string[] {
  return keysOf((raw) => checkLegacyIotsocket(raw, '/config.json', secrets));
}

/** Every key of the original's `config.json`. */
export function acceptedLegacyKeys(): string[] {
  return keysOf((raw) => checkLegacyConfiguration(raw, '/config.json', secrets));
}

/** Asks the checks themselves, by giving them a key that they cannot know, at every place where an object may be. */
function keysOf(check: Check): string[] {
  const found: string[] = [];
  const look = (path: string, wrap: (inner: unknown) => unknown): void => {
    const known = knownAt(check, wrap({ [STRANGER]: 1 }));
    if (known === undefined) {
      if (path !== '') found.push(path);
      return;
    }
    // To look for more in each text and number would take nearly all of the time.
    const scalars = scalarsAt(check, wrap(Object.fromEntries(known.map((key) => [key, {}]))));
    for (const key of known) {
      const at = path === '' ? key : `${path}.${key}`;
      if (scalars.some((scalar) => scalar === key || scalar.endsWith(`.${key}`))) {
        found.push(at);
        continue;
      }
      const place = [
        { suffix: '', of: (inner: unknown) => inner },
        { suffix: '[]', of: (inner: unknown) => [inner] },
        { suffix: recordSuffixes[key.toLowerCase()] ?? '.<uid>', of: (inner: unknown) => ({ uid: inner }) },
      ].find(({ of }) => knownAt(check, wrap({ [key]: of({ [STRANGER]: 1 }) })) !== undefined);
      if (place === undefined) found.push(at);
      else look(at + place.suffix, (inner) => wrap({ [key]: place.of(inner) }));
    }
  };
  look('', (inner) => inner);
  return found;
}

/** Paths of which the check says that no object may be there, nor a list. */
function scalarsAt(check: Check, raw: unknown): string[] {
  const checked = checkedOrNot(check, raw);
  if (checked === undefined || checked.ok) return [];
  return checked.problems
    .filter(({ what }) => /^must be (?!a list)[^;]*, not an object/.test(what))
    .map(({ path }) => path);
}

function knownAt(check: Check, raw: unknown): string[] | undefined {
  const checked = checkedOrNot(check, raw);
  if (checked === undefined || checked.ok) return undefined;
  const problem = checked.problems.find(({ path }) => path.endsWith(STRANGER));
  const match = problem === undefined ? null : KNOWN.exec(problem.what);
  return match === null ? undefined : (match[1] ?? match[2])!.split(', ');
}

/** A check that fails on an object where it wants a text knows no keys there; that it should say so is another test's matter. */
function checkedOrNot(check: Check, raw: unknown): Checked<unknown> | undefined {
  try {
    return check(raw);
  } catch {
    return undefined;
  }
}
