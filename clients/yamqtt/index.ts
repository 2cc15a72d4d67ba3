/** `baseunit/yamqtt`: clients of YAMQTT, for Node. */
export { BaseUnitError } from '../../protocol/errors.js';
export type { BackOff } from '../connection/back-off.js';
export type { ClientClock } from '../connection/client-clock.js';
export type { ClientEvent, FlowMessage } from './client-event.js';
export type { YamqttClientOptions } from './client-options.js';
export { type ClientState, YamqttClient } from './yamqtt-client.js';
