/**
 * Every error of this project: one root, one class a family (by whose fault it is), one literal code a kind.
 * `docs/errors.md` has a line for each code; a test holds it to this list.
 */
export const errorCodes = {
  configuration: [
    'config-unreadable',
    'config-not-json',
    'config-invalid',
    'secret-missing',
    'port-in-use',
    'tool-missing',
    'handler-failed',
    'request-refused',
    'provisioning-failed',
  ],
  definition: [
    'definition-invalid',
    'definition-missing',
    'firmware-stale',
    'firmware-too-large',
    'build-failed',
    'firmware-failed',
  ],
  protocol: [
    'frame-malformed',
    'frame-too-long',
    'frame-too-slow',
    'tag-wrong',
    'opening-malformed',
    'version-unknown',
    'proof-refused',
    'uid-unknown',
    'key-wrong',
    'uid-unexpected',
    'hello-malformed',
    'definition-unexpected',
    'value-refused',
    'line-too-long',
    'closed-by-unit',
  ],
  link: [
    'connect-failed',
    'connect-timeout',
    'link-lost',
    'link-silent',
    'link-stalled',
    'link-busy',
    'link-asleep',
    'serial-busy',
  ],
  timeout: ['start-timeout', 'opening-timeout', 'command-timeout', 'stop-timeout'],
  relay: ['uplink-unauthorised', 'uplink-unreachable', 'uplink-refused'],
  store: ['store-unusable', 'store-failed', 'store-busy'],
  internal: ['internal', 'stopped'],
} as const;

export type ErrorFamily = keyof typeof errorCodes;
export type ErrorCode = (typeof errorCodes)[ErrorFamily][number];

/** Root of all errors that this project throws. Callers switch on `code`; `family` says whose fault it is. */
export class BaseUnitError extends Error {
  readonly family: ErrorFamily;
  readonly code: ErrorCode;

  constructor(family: ErrorFamily, code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.family = family;
    this.code = code;
  }
}

type Codes<F extends ErrorFamily> = (typeof errorCodes)[F][number];

/** What the user configured cannot work. The message names the path in the file and what to write instead. */
export class ConfigurationError extends BaseUnitError {
  constructor(code: Codes<'configuration'>, message: string, options?: ErrorOptions) {
    super('configuration', code, message, options);
  }
}

/** A peer sent what the protocol forbids. */
export class ProtocolError extends BaseUnitError {
  constructor(code: Codes<'protocol'>, message: string, options?: ErrorOptions) {
    super('protocol', code, message, options);
  }
}

/** The network, or the peer's absence. */
export class LinkError extends BaseUnitError {
  constructor(code: Codes<'link'>, message: string, options?: ErrorOptions) {
    super('link', code, message, options);
  }
}

/** Something allowed took longer than its bound. */
export class TimeoutError extends BaseUnitError {
  constructor(code: Codes<'timeout'>, message: string, options?: ErrorOptions) {
    super('timeout', code, message, options);
  }
}

/** A central (Pusher, a webhook receiver) refused or could not be reached. */
export class RelayError extends BaseUnitError {
  constructor(code: Codes<'relay'>, message: string, options?: ErrorOptions) {
    super('relay', code, message, options);
  }
}

/** The base's store: its disk, its file, or what it can take at once. */
export class StoreError extends BaseUnitError {
  constructor(code: Codes<'store'>, message: string, options?: ErrorOptions) {
    super('store', code, message, options);
  }
}

/** Our own fault, or our own bound. */
export class InternalError extends BaseUnitError {
  constructor(code: Codes<'internal'>, message: string, options?: ErrorOptions) {
    super('internal', code, message, options);
  }
}

/** For the `default` of a switch over a union: the compiler refuses it when a case is missing. */
export function assertNever(value: never): never {
  throw new InternalError('internal', `unexpected value ${JSON.stringify(value)}`);
}
