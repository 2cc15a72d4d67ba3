/** `baseunit/elfin`: a client of an Elfin Connect gateway, for Node: a program that opens tunnels, or a device. */
export { BaseUnitError } from '../../protocol/errors.js';
export type { ClientClock } from '../connection/client-clock.js';
export type { TlsOptions } from '../connection/tls-options.js';
export type { ElfinDevice } from './answers.js';
export type { ElfinClientOptions } from './client-options.js';
export { type ElfinAdapter, ElfinClient } from './elfin-client.js';
