import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { isLoopbackHost } from '../../base/config/address.js';
import type { PusherConfiguration } from '../../base/config/configuration.js';
import { peerText } from '../../base/core/log.js';
import { createAgent } from '../../base/links/http-exchange.js';
import { httpAuthoriser } from '../../base/uplinks/pusher/channel-authoriser.js';
import { createServerClient } from '../../base/uplinks/pusher/pusher-server.js';
import type { RelayError } from '../../protocol/errors.js';
import type { Examination } from './examination.js';
import { type Finding, findingsOf } from './finding.js';
import type { HeardDates } from './heard-dates.js';
import { inTime } from './in-time.js';
import { type NetworkTrouble, networkTrouble } from './network-trouble.js';
import { shellWord } from './shell-word.js';

const found = findingsOf('pusher');

/** Of no connection: nothing can be joined with what is signed for it. */
const MADE_UP_SOCKET_ID = '1.1';
/** reference/pusher.md, 1.2. */
const PATH_END = '?protocol=7&client=baseunit-doctor&version=1&flash=false';
const MAX_FRAME_OCTETS = 65_536;
/** RFC 6455 §7.4.2: from there on codes are the protocol's own. */
const FIRST_OWN_CODE = 4_000;

type Looked = Pick<Examination, 'configuration' | 'broken' | 'system' | 'running' | 'shownFile'>;
type Hears = Pick<HeardDates, 'hear'>;

interface Check {
  readonly pusher: PusherConfiguration;
  readonly system: Examination['system'];
  readonly heard: Hears;
  /** The command to mend the configuration. */
  readonly edit: string;
}

/**
 * Whether the Pusher server can be reached and knows the app, whether whoever authorises the channel does, and whether the
 * HTTP API takes our signature. Joins no channel and sends no event.
 */
export async function checkPusher(examination: Looked, heard: Hears): Promise<Finding[]> {
  const { configuration, broken, system, shownFile } = examination;
  if (configuration === undefined || broken.has('pusher'))
    return [found('needs-configuration', 'Pusher', 'which server it is, the configuration would say')];
  const { pusher } = configuration;
  if (pusher === undefined) return [found('not-configured', 'Pusher', 'the configuration has no section pusher')];
  const check: Check = { pusher, system, heard, edit: `nano ${shellWord(shownFile)}` };
  const isOwnHub = isOwn(pusher, examination);
  const ofServer = isOwnHub
    ? [found('pusher-own-hub', serverOf(pusher), "is this base's own hub: it is there when the base runs")]
    : [checkServer(check), checkApi(check)];
  const all = await Promise.all([...ofServer, checkAuthorisation(check)]);
  return all.filter((finding) => finding !== undefined);
}

/** It is the hub of this configuration, and no base runs. */
function isOwn({ host, port }: PusherConfiguration, { configuration, running }: Looked): boolean {
  const hub = configuration?.hub?.listen;
  if (running !== undefined || hub === undefined || host === undefined || port !== hub.port) return false;
  return isLoopbackHost(host) || host === hub.host;
}

/** Clients connect there. */
function serverOf({ host, port, cluster, tls }: PusherConfiguration): string {
  return host === undefined ? `wss://ws-${cluster}.pusher.com` : `${tls ? 'wss' : 'ws'}://${hostText(host)}:${port}`;
}

/** Servers ask there. */
function apiOf({ host, port, cluster, tls }: PusherConfiguration): string {
  return host === undefined
    ? `https://api-${cluster}.pusher.com`
    : `${tls ? 'https' : 'http'}://${hostText(host)}:${port}`;
}

const hostText = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/** Connects as a client does, and hears whether the app is known there. */
async function checkServer({ pusher, system, heard, edit }: Check): Promise<Finding> {
  const subject = serverOf(pusher);
  const url = `${subject}/app/${encodeURIComponent(pusher.key)}${PATH_END}`;
  let frame: { readonly event?: unknown; readonly data?: unknown };
  try {
    frame = await firstFrame(url, system.timeoutMs, (date) => heard.hear(subject, date));
  } catch (error) {
    const trouble = networkTrouble(error, system.timeoutMs);
    const kind = trouble.kind === 'certificate' ? 'pusher-certificate' : 'pusher-unreachable';
    return found(kind, subject, whatOf(trouble, pusher), curl(subject));
  }
  if (frame.event === 'pusher:connection_established')
    return found('pusher-reached', subject, 'answers, and knows the app');
  const { code, message } = (frame.data ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  // The server may repeat the key; who took it for the secret wrote that.
  const said = peerText(String(message).replaceAll(pusher.key, '…'));
  const cause = `refuses the app (${peerText(String(code))}): ${whyRefused[Number(code)] ?? said}`;
  return found('pusher-refused', subject, cause, edit);
}

/** reference/pusher.md, 1.6. */
const whyRefused: Readonly<Record<number, string>> = {
  4000: 'it takes TLS only, so pusher.tls must be true',
  4001: 'check pusher.key, and pusher.cluster if it is there',
  4003: 'the app is switched off there',
  4004: 'the app has as many connections as it may have',
  4100: 'the server has too many connections; try again',
};

/** Rejects with what kept it from coming. */
function firstFrame(
  url: string,
  timeoutMs: number,
  hearDate: (header: string | undefined) => void,
): Promise<{ readonly event?: unknown; readonly data?: unknown }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { handshakeTimeout: timeoutMs, maxPayload: MAX_FRAME_OCTETS });
    const late = setTimeout(() => fail(new DOMException('no frame in time', 'TimeoutError')), timeoutMs);
    const end = (): void => {
      clearTimeout(late);
      socket.terminate();
    };
    const fail = (error: Error): void => {
      end();
      reject(error);
    };
    // Ending it before it was open is an error too, of which nobody needs to hear.
    socket.on('error', fail);
    socket.on('upgrade', (response: IncomingMessage) => hearDate(response.headers.date));
    socket.once('close', (code, reason) => {
      if (code < FIRST_OWN_CODE) return fail(new Error('it ended the connection without a word'));
      // Some servers say why in a frame, some in the close, some in both.
      end();
      resolve({ event: 'pusher:error', data: { code, message: String(reason) } });
    });
    socket.once('message', (data) => {
      end();
      try {
        resolve(JSON.parse(String(data)) as object);
      } catch {
        reject(new Error('it speaks another protocol'));
      }
    });
  });
}

/** Asks the endpoint to authorise a connection that is none. */
async function checkAuthorisation({ pusher, system, edit }: Check): Promise<Finding | undefined> {
  const { auth, channel, key } = pusher;
  if (auth === undefined) return undefined;
  // Not the whole address: people put tokens into it.
  const { origin } = new URL(auth.endpoint);
  const subject = `pusher.auth.endpoint (${origin})`;
  const agent = createAgent({ connections: 1, connectTimeoutMs: system.timeoutMs });
  const signal = AbortSignal.timeout(system.timeoutMs);
  const { endpoint, token } = auth;
  try {
    const authorise = httpAuthoriser({ endpoint, token, agent, clock: system.clock });
    const given = await authorise(MADE_UP_SOCKET_ID, channel, signal);
    if (isOfApp(given.auth, pusher))
      return found(
        'pusher-authorised',
        subject,
        `authorises the channel ${channel} (asked for a connection that is none)`,
      );
    const cause = given.auth.startsWith(`${key}:`)
      ? 'signs with another secret than pusher.secret: one of the two is wrong'
      : 'signs for another app than that of pusher.key: one of the two is wrong';
    return found('pusher-auth-other-app', subject, cause, edit);
  } catch (error) {
    const { code, message } = error as RelayError;
    if (code === 'uplink-unauthorised') return found('pusher-auth-refused', subject, message, edit);
    if (code === 'uplink-refused') return found('pusher-auth-useless', subject, message, curl(origin));
    const { what } = networkTrouble(signal.aborted ? signal.reason : error, system.timeoutMs);
    return found('pusher-auth-unreachable', subject, what, curl(origin));
  } finally {
    await agent.destroy();
  }
}

/** With the secret the signature is compared, else only whose it is said to be. */
function isOfApp(auth: string, pusher: PusherConfiguration): boolean {
  if (!auth.startsWith(`${pusher.key}:`)) return false;
  const server = createServerClient(pusher);
  return server === undefined || server.authorizeChannel(MADE_UP_SOCKET_ID, pusher.channel).auth === auth;
}

interface ApiFault {
  readonly status?: number;
  readonly body?: string;
}

/** Asks for the channels, signed with the secret. */
async function checkApi({ pusher, system, heard, edit }: Check): Promise<Finding | undefined> {
  const server = createServerClient(pusher);
  if (server === undefined) return undefined;
  const subject = `the HTTP API ${apiOf(pusher)}`;
  try {
    const late = AbortSignal.timeout(system.timeoutMs);
    const answer = server.get({ path: '/channels', params: { filter_by_prefix: pusher.channel } });
    const { headers } = await inTime(answer, late);
    heard.hear(apiOf(pusher), headers.get('date') ?? undefined);
    return found('pusher-api-answers', subject, 'takes our signature: events can be published');
  } catch (error) {
    const { status, body = '' } = error as ApiFault;
    if (status === undefined) {
      const trouble = networkTrouble(error, system.timeoutMs);
      return found('pusher-api-unreachable', subject, whatOf(trouble, pusher), curl(apiOf(pusher)));
    }
    if (status === 401 && /timestamp expired|not within \d+ ?s/i.test(body)) {
      const cause =
        "answered 401: by its clock our signature is of another time; this machine's is more than 10 minutes off";
      return found('pusher-api-refused', subject, cause, 'sudo timedatectl set-ntp true');
    }
    const why = {
      401: 'check pusher.key and pusher.secret',
      403: 'the app is switched off',
      404: 'check pusher.appId',
    }[status];
    return found('pusher-api-refused', subject, `answered ${status}${why === undefined ? '' : `: ${why}`}`, edit);
  }
}

function whatOf({ kind, what }: NetworkTrouble, { host, tls }: PusherConfiguration): string {
  if (kind === 'certificate') return `${what}; a private authority goes into NODE_EXTRA_CA_CERTS`;
  if (kind === 'name' && host === undefined) return `${what}; or there is no such cluster: check pusher.cluster`;
  return host === undefined ? what : `${what} (pusher.tls is ${tls})`;
}

const curl = (origin: string): string => `curl -sSI ${shellWord(origin.replace(/^ws/, 'http'))}`;
