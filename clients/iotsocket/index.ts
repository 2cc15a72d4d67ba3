/** `baseunit/iotsocket`: objects and centrals of IoTSocket, for Node. */
export { BaseUnitError } from '../../protocol/errors.js';
export type { AccessListEntry } from '../../protocol/iotsocket/access-list.js';
export type { Payload, PayloadFormat } from '../../protocol/iotsocket/payload.js';
export { closeCodes, type PayloadBlock, payloadFormats, returnCodes } from '../../protocol/iotsocket/transmission.js';
export type { BackOff } from '../connection/back-off.js';
export type { ClientClock } from '../connection/client-clock.js';
export { CentralClient, type CentralClientOptions, type TelemetryHandler } from './central-client.js';
export type { Answer, ClientState, CloseReason, RequestOptions } from './client-core.js';
export type { ClientEvent, HearClient } from './client-event.js';
export type { ClientOptions } from './client-options.js';
export type { ClientTls } from './client-tls.js';
export type { Reply, RequestHandler } from './incoming-requests.js';
export { ObjectClient, type ObjectClientOptions } from './object-client.js';
export { type OutgoingPayload, ReceivedPayload } from './payloads.js';
export { type ClientPlatform, systemPlatform } from './platform.js';
