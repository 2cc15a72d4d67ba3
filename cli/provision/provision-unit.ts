import { loadDefinitions } from '../../base/config/definitions.js';
import { addressText, type SerialAddress } from '../../base/core/address.js';
import { openSerialPort, type SerialPort } from '../../base/links/serial/serial-port.js';
import { systemClock } from '../../base/system.js';
import { type BaseUnitError, ConfigurationError, LinkError } from '../../protocol/errors.js';
import { ImprovClient } from './improv-client.js';
import { holderText } from './port-holder.js';
import { type KeyOptions, keyForUnit } from './unit-key.js';

export interface ProvisionRequest extends KeyOptions {
  readonly uid: string;
  readonly port: SerialAddress;
  readonly wifi?: string | undefined;
  /** Empty: the Wi-Fi is open. */
  readonly password: string;
  /** `host:port` of the base that the unit dials. */
  readonly base: string | undefined;
  /** Hears how far it is, line by line. */
  readonly say: (line: string) => void;
}

/** What was done; no secret is in it. */
export interface Provisioned {
  readonly unit: string;
  readonly port: string;
  readonly definition: string;
  readonly version: string;
  readonly chip: string;
  /** The UID that it had before; `null`: none. */
  readonly previousUid: string | null;
  /** It was told UID and key; line units have none. */
  readonly hasIdentity: boolean;
  /** Of a new key. */
  readonly keyFile: string | null;
  readonly wifi: string | null;
  /** What the configuration says of it, under `units.known`. */
  readonly configured: Readonly<Record<string, string>>;
}

/**
 * Tells a unit at a serial port its UID, key and base, then the Wi-Fi to join. Rejects with LinkError when the port cannot be
 * opened or nothing answers, with ConfigurationError when the unit refuses.
 */
export async function provision(request: ProvisionRequest): Promise<Provisioned> {
  const { serial } = request.port;
  const port = await openSerialPort(request.port, systemClock).catch(async (error: BaseUnitError) => {
    const holder = error.code === 'serial-busy' ? await holderText(serial, request.config) : undefined;
    throw holder === undefined ? error : new LinkError('serial-busy', holder, { cause: error });
  });
  try {
    return await tell(port, request);
  } finally {
    await port.close().catch(() => {});
  }
}

async function tell(port: SerialPort, request: ProvisionRequest): Promise<Provisioned> {
  const { uid, wifi, password, base, say } = request;
  const { serial } = request.port;
  const improv = new ImprovClient(port, systemClock);
  void improv.read();
  await improv.state();
  const { definition, version, chip, uid: previousUid } = await improv.device();
  say(
    `At ${serial} is ${definition} ${version} on ${chip}, ${previousUid === '' ? 'without a UID' : `UID ${previousUid}`}.`,
  );
  const isLine = (await loadDefinitions()).get(definition)?.definition.wire === 'line';
  if (isLine) refuseIdentity(definition, request);
  const key = isLine ? undefined : keyForUnit(uid, request);
  if (key !== undefined) {
    try {
      await improv.identity({ uid, key: key.key, base: base ?? '' });
    } catch (error) {
      if (!(error instanceof LinkError)) key.discard();
      throw error instanceof LinkError && key.pending !== undefined ? inDoubt(error, key.pending) : error;
    }
    key.keep();
    say(
      `It is ${uid} from now on${key.file === undefined ? '' : `; its key is in ${key.file}, which only you can read`}.`,
    );
  }
  if (wifi !== undefined) {
    say(`It joins the Wi-Fi ${JSON.stringify(wifi)}, which may take half a minute.`);
    // It may start anew with its new name.
    await improv.state();
    await improv.wifi(wifi, password);
    say('It has joined.');
  }
  const address = base !== undefined ? {} : { address: wifi === undefined ? addressText(request.port) : 'mdns' };
  const configured = { definition, ...address, ...(key && { key: key.configured }) };
  say(`In ${request.config}, under units.known:\n  ${JSON.stringify(uid)}: ${JSON.stringify(configured)}`);
  if (base !== undefined) say(`It dials ${base}: units.listen must be there.`);
  else if (wifi !== undefined) say('It is found by its name: the section "discovery": {} must be there.');
  return {
    unit: uid,
    port: serial,
    definition,
    version,
    chip,
    previousUid: previousUid === '' ? null : previousUid,
    hasIdentity: key !== undefined,
    keyFile: key?.file ?? null,
    wifi: wifi ?? null,
    configured,
  };
}

/** The unit did not answer: it may have its new key all the same. */
const inDoubt = (error: LinkError, pending: string): LinkError =>
  new LinkError(
    error.code as ConstructorParameters<typeof LinkError>[0],
    `the unit did not say whether it has its new key, which is in ${pending} until the next try: unplug the board, plug it in, and try again within 60 s (${error.message})`,
    { cause: error },
  );

/** A line unit has neither UID nor key, and dials nobody. */
function refuseIdentity(definition: string, { key, newKey, base, wifi }: ProvisionRequest): void {
  const option = key !== undefined ? '--key' : newKey ? '--new-key' : base !== undefined ? '--base' : undefined;
  if (option !== undefined)
    throw new ConfigurationError(
      'config-invalid',
      `${definition} is a line unit, without UID and key: leave ${option} away`,
    );
  if (wifi === undefined)
    throw new ConfigurationError(
      'config-invalid',
      `${definition} is a line unit: all it can be told is its Wi-Fi, with --wifi`,
    );
}
