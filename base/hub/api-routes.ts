import { type ApiAnswer, answered, Refusal } from './api-answer.js';
import { channelInfo, parseInfo } from './channel-info.js';
import { type ChannelName, parseChannelName } from './channel-name.js';
import { type EventRequest, parseBatch, parseEvent } from './event-request.js';
import type { HostedApp } from './hosted-app.js';
import { parseJson } from './incoming-frame.js';
import type { Parameters } from './request-auth.js';
import { decoded } from './request-target.js';

/** A request whose signature holds. */
interface ApiCall {
  readonly app: HostedApp;
  readonly parameters: Parameters;
  readonly body: Uint8Array;
  /** What stands in the path where the route has a place for it, decoded; else empty. */
  readonly subject: string;
}

interface ApiRoute {
  readonly method: 'GET' | 'POST';
  /** Matches what follows `/apps/{id}`; its group is the subject. */
  readonly path: RegExp;
  readonly answer: (call: ApiCall) => ApiAnswer;
}

/** The HTTP API (`reference/pusher.md` 1.7). */
const apiRoutes: readonly ApiRoute[] = [
  { method: 'POST', path: /^\/events$/, answer: publishEvent },
  { method: 'POST', path: /^\/batch_events$/, answer: publishBatch },
  { method: 'GET', path: /^\/channels$/, answer: listChannels },
  { method: 'GET', path: /^\/channels\/([^/]+)$/, answer: describeChannel },
  { method: 'GET', path: /^\/channels\/([^/]+)\/users$/, answer: listUsers },
  // The libraries put the user id into the path as it is, slashes and all.
  { method: 'POST', path: /^\/users\/(.+)\/terminate_connections$/, answer: terminateConnections },
];

/** The route, with its subject; a 404 or 405 when there is none. */
export function findRoute(
  method: string,
  path: string,
): { readonly route: ApiRoute; readonly subject: string } | Refusal {
  const matching = apiRoutes.filter((route) => route.path.test(path));
  const route = matching.find((one) => one.method === method);
  if (route !== undefined) return { route, subject: decoded(route.path.exec(path)?.[1] ?? '') };
  if (matching.length === 0) return new Refusal(404, 'Unknown path');
  return new Refusal(405, `Method not allowed: ${method}`, { allow: matching.map((one) => one.method).join(', ') });
}

function publishEvent({ app, body }: ApiCall): ApiAnswer {
  const event = parseEvent(parseBody(body), app.limits);
  if (event instanceof Refusal) return event;
  publish(app, event);
  if (event.info.length === 0) return answered();
  return answered({ channels: infoByName(app, event) });
}

function publishBatch({ app, body }: ApiCall): ApiAnswer {
  const events = parseBatch(parseBody(body), app.limits);
  if (events instanceof Refusal) return events;
  for (const event of events) publish(app, event);
  if (events.every(({ info }) => info.length === 0)) return answered();
  return answered({ batch: events.map((event) => Object.values(infoByName(app, event))[0]) });
}

function publish(app: HostedApp, { channels, event, data, exceptSocketId }: EventRequest): void {
  for (const name of channels) app.publish(name, event, data, exceptSocketId);
}

function infoByName(app: HostedApp, { channels, info }: EventRequest): object {
  return Object.fromEntries(channels.map((name) => [name.text, channelInfo(app, name, info)]));
}

function listChannels({ app, parameters }: ApiCall): ApiAnswer {
  const prefix = parameters.get('filter_by_prefix') ?? '';
  const info = parseInfo(parameters.get('info'), ['user_count', 'subscription_count']);
  if (info instanceof Refusal) return info;
  if (info.includes('user_count') && !prefix.startsWith('presence-'))
    return new Refusal(400, 'user_count is only for presence channels: filter_by_prefix must begin with presence-');
  const channels = app.channels.filter(({ name }) => name.text.startsWith(prefix));
  return answered({
    channels: Object.fromEntries(channels.map(({ name }) => [name.text, channelInfo(app, name, info)])),
  });
}

function describeChannel({ app, parameters, subject }: ApiCall): ApiAnswer {
  const name = channelOf(subject);
  if (name instanceof Refusal) return name;
  const info = parseInfo(parameters.get('info'), ['user_count', 'subscription_count', 'cache']);
  if (info instanceof Refusal) return info;
  return answered({ occupied: app.channel(name.text) !== undefined, ...channelInfo(app, name, info) });
}

function listUsers({ app, subject }: ApiCall): ApiAnswer {
  const name = channelOf(subject);
  if (name instanceof Refusal) return name;
  if (name.kind !== 'presence') return new Refusal(400, 'Users can be retrieved only for presence channels');
  return answered({ users: (app.channel(name.text)?.members?.ids ?? []).map((id) => ({ id })) });
}

function terminateConnections({ app, subject }: ApiCall): ApiAnswer {
  for (const connection of app.users.connectionsOf(subject)) connection.close(4009);
  return answered();
}

function channelOf(subject: string): ChannelName | Refusal {
  return parseChannelName(subject) ?? new Refusal(400, `Invalid channel name: ${subject.slice(0, 200)}`);
}

function parseBody(body: Uint8Array): unknown {
  return parseJson(Buffer.from(body).toString());
}
