import { promises as dns, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { request } from 'undici';
import type { Configuration } from '../../base/config/configuration.js';
import { guardedLookup, type Resolve } from '../../base/links/guarded-lookup.js';
import { createAgent } from '../../base/links/http-exchange.js';
import { isPublicAddress } from '../../base/links/public-address.js';
import { endpointLabel } from '../../base/uplinks/webhooks/webhook-options.js';
import type { Examination } from './examination.js';
import { type Finding, findingsOf } from './finding.js';
import type { HeardDates } from './heard-dates.js';
import { inTime } from './in-time.js';
import { networkTrouble } from './network-trouble.js';
import { shellWord } from './shell-word.js';

const found = findingsOf('webhooks');

/** A receiver of what happens. */
interface Receiver {
  /** In the configuration: `webhooks[0].url`. */
  readonly path: string;
  readonly url: string;
  /** PEM. */
  readonly ca: string | undefined;
  /** What lets its name lead to a private address, and whether it does; absent: it always may. */
  readonly guard: { readonly option: string; readonly allowPrivate: boolean } | undefined;
}

/**
 * Whether each receiver can be reached as the base would: its name, its address, its certificate. A `HEAD` is asked without
 * a secret, and no event is sent; what it answers with is only told.
 */
export async function checkWebhooks(
  { configuration, broken, system, shownFile }: Pick<Examination, 'configuration' | 'broken' | 'system' | 'shownFile'>,
  heard: Pick<HeardDates, 'hear'>,
): Promise<Finding[]> {
  const unknown = [found('needs-configuration', 'webhooks', 'where they are, the configuration would say')];
  if (configuration === undefined) return unknown;
  const receivers = receiversOf(configuration);
  const isBroken = broken.has('webhooks');
  if (receivers.length === 0 && !isBroken) return [found('not-configured', 'webhooks', 'the configuration names none')];
  const edit = `nano ${shellWord(shownFile)}`;
  const looked = await Promise.all(receivers.map((receiver) => checkReceiver({ receiver, system, heard, edit })));
  return isBroken ? [...unknown, ...looked] : looked;
}

function receiversOf({ webhooks, iotsocket, hub, legacy }: Configuration): Receiver[] {
  const central = iotsocket?.central?.webhooks;
  const ofCentral = (['request', 'telemetry'] as const).map((name) => ({
    path: `iotsocket.central.webhooks.${name}`,
    url: central?.[name],
    ca: central?.ca,
    guard: { option: 'iotsocket.central.webhooks.allowPrivate', allowPrivate: central?.allowPrivate ?? false },
  }));
  const ofHub = (hub?.apps ?? []).flatMap(({ webhooks: hooks = [] }, app) =>
    hooks.map(({ url }, index) => ({
      path: `hub.apps[${app}].webhooks[${index}].url`,
      url,
      ca: undefined,
      guard: undefined,
    })),
  );
  const all = [
    ...webhooks.map(({ url, ca, allowPrivate }, index) => ({
      path: `webhooks[${index}].url`,
      url,
      ca,
      guard: { option: `webhooks[${index}].allowPrivate`, allowPrivate },
    })),
    ...ofCentral,
    ...ofHub,
    { path: 'api.url', url: legacy?.apiUrl, ca: undefined, guard: undefined },
  ];
  return all.flatMap(({ url, ...rest }) => (url === undefined ? [] : [{ url, ...rest }]));
}

interface Check {
  readonly receiver: Receiver;
  readonly system: Examination['system'];
  readonly heard: Pick<HeardDates, 'hear'>;
  readonly edit: string;
}

async function checkReceiver({ receiver, system, heard, edit }: Check): Promise<Finding> {
  const { path, url, ca, guard } = receiver;
  // Not the whole address: people put tokens into it.
  const subject = endpointLabel(path, url);
  const { hostname, origin, host } = new URL(url);
  const name = hostname.replace(/^\[|\]$/g, '');
  const signal = AbortSignal.timeout(system.timeoutMs);
  let resolve: Resolve | undefined;
  if (isIP(name) === 0) {
    let addresses: readonly LookupAddress[];
    try {
      addresses = await inTime(system.resolve?.(name) ?? dns.lookup(name, { all: true }), signal);
    } catch (error) {
      const { what } = networkTrouble(error, system.timeoutMs);
      return found('webhook-name-unknown', subject, `${name} ${what}`, `getent hosts ${shellWord(name)}`);
    }
    const inner = addresses.find(({ address }) => !isPublicAddress(address));
    if (guard !== undefined && !guard.allowPrivate && name !== 'localhost' && inner !== undefined) {
      const cause = `${name} leads to ${inner.address}, a private address, and so nothing is sent there: write "${guard.option.split('.').at(-1)}": true if that is meant (${guard.option})`;
      return found('webhook-private', subject, cause, edit);
    }
    resolve = async () => addresses;
  }
  const dispatcher = createAgent({
    ca,
    connections: 1,
    connectTimeoutMs: system.timeoutMs,
    lookup: guardedLookup({ allowPrivate: true, option: '', resolve }),
  });
  try {
    const { statusCode, headers } = await request(url, { method: 'HEAD', dispatcher, signal });
    heard.hear(host, headers.date?.toString());
    return judge(subject, statusCode, url.startsWith('https:'), `curl -sSI ${shellWord(origin)}`);
  } catch (error) {
    const { kind, what } = networkTrouble(error, system.timeoutMs);
    const show = `openssl s_client -connect ${shellWord(addressOf(url))} -servername ${shellWord(name)} </dev/null`;
    if (kind === 'certificate')
      return found('webhook-certificate', subject, `${host} ${what}${trusted(path, ca)}`, show);
    return found('webhook-unreachable', subject, `${host} ${what}`, `curl -sSI ${shellWord(origin)}`);
  } finally {
    await dispatcher.destroy();
  }
}

function judge(subject: string, status: number, isTls: boolean, show: string): Finding {
  const secured = isTls ? 'its certificate is trusted, and ' : '';
  if (status >= 300 && status < 400) {
    const cause = `${secured}it answered ${status} to HEAD: redirects are not followed, so write the address that it leads to`;
    return found('webhook-redirects', subject, cause, show);
  }
  if (status >= 500)
    return found(
      'webhook-failing',
      subject,
      `${secured}it answered ${status} to HEAD: it has a fault of its own`,
      show,
    );
  return found('webhook-reached', subject, `${secured}it answered ${status} to HEAD; no event was sent`);
}

function trusted(path: string, ca: string | undefined): string {
  if (!path.startsWith('webhooks[') && !path.startsWith('iotsocket.'))
    return '; a private authority goes into NODE_EXTRA_CA_CERTS';
  const option = `${path.slice(0, path.lastIndexOf('.'))}.ca`;
  return ca === undefined
    ? `; write the file of a private authority into ${option}`
    : `; trusted is only what ${option} names`;
}

function addressOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}
