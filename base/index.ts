/**
 * What a program of your own imports to be a base, as `baseunit/base`: `createBase`, `defineHandler`, and the types of
 * whatever it may extend or replace (docs/handlers.md).
 */

export type { StatusApi, StatusApiContext } from './api/connector/status-api.js';
export { Base, type ProgramCommand } from './base-program.js';
export type { Unsubscribe } from './core/bus.js';
export type { Clock } from './core/clock.js';
export type { CommandRequest } from './core/command-request.js';
export type { Connection, ConnectionInput, ConnectionRecord } from './core/connection.js';
export type { ConnectionStatistics, ConnectionTotals } from './core/connection-statistics.js';
export type { Delivery, DeliveryResult } from './core/delivery.js';
export type { Log } from './core/log.js';
export { MemoryStatistics } from './core/memory-statistics.js';
export type { CoreMessage, Outcome, OutcomeKind, Presence, PresenceState, Report } from './core/messages.js';
export type { OpaquePayload } from './core/opaque-payload.js';
export type { Random } from './core/random.js';
export { type BaseState, type BaseStatus, baseStates, type HandlerStatus, type StatusPort } from './core/status.js';
export type { HearTopic, Topic, TopicEvents, Topics } from './core/topics.js';
export type { DeliverTo, OpaqueReportInput, PresenceChange, ReportInput, ReportVerdict } from './core/unit-events.js';
export type { UnitView } from './core/unit-view.js';
export type { UnitsPort } from './core/units-port.js';
export { type CreateBaseOptions, createBase } from './create-base.js';
export type { AuthenticateDevice, DeviceRequest } from './dialects/connector/connector-options.js';
export {
  type AddedUnit,
  defineHandler,
  type Handler,
  type HandlerContext,
  type Listening,
  type PendingCarrier,
  type ServedUnit,
} from './dialects/handler.js';
export type { Carrier, CarrierSink } from './links/carrier.js';
export { systemClock } from './system.js';
