import type { UnitDefinition } from '../../protocol/definition/index.js';
import type { ConnectorApiOptions } from '../api/connector/connector-api-options.js';
import type { Address, Whereabouts } from '../core/address.js';
import type { ConnectorDeviceOptions } from '../dialects/connector/connector-options.js';
import type { ElfinOptions } from '../dialects/elfin/elfin-options.js';
import type { IotsocketOptions } from '../dialects/iotsocket/iotsocket-options.js';
import type { YamqttOptions } from '../dialects/yamqtt/yamqtt-options.js';
import type { HubAppOptions } from '../hub/app.js';
import type { PublishableEvent } from '../uplinks/pusher/pusher-options.js';
import type { WebhookEvent } from '../uplinks/webhooks/webhook-options.js';

/**
 * A base's configuration, checked and resolved: secrets read, paths absolute, defaults filled in.
 * A section that the file does not have is `undefined`: that part is switched off.
 */
export interface Configuration {
  /** The base's own name, for people. 1 to 64 characters. Default `baseunit`. */
  readonly name: string;
  /** Absolute path of the file it came from. */
  readonly file: string;
  readonly http: HttpConfiguration | undefined;
  readonly units: UnitsConfiguration | undefined;
  readonly pusher: PusherConfiguration | undefined;
  readonly hub: HubConfiguration | undefined;
  /** At most 16. Default none. */
  readonly webhooks: readonly WebhookConfiguration[];
  /** The IoTSocket concentrator (wire/iotsocket.md), from our own section or the original's `config.json`. */
  readonly iotsocket: IotsocketOptions | undefined;
  /** IoT Cloud Connector (wire/connector.md). */
  readonly connector: ConnectorConfiguration | undefined;
  /** The Elfin Connect gateway (wire/elfin.md). */
  readonly elfin: ElfinOptions | undefined;
  /** YAMQTT's flows (wire/yamqtt.md). */
  readonly yamqtt: YamqttOptions | undefined;
  /** Finding units by mDNS, and being found. */
  readonly discovery: DiscoveryConfiguration | undefined;
  /** Absolute paths of modules of the user's own, each with a handler (`dialects/handler.ts`) as its default export. At most 16. Default none. */
  readonly handlers: readonly string[];
  /** All of a stop must end within it; past it, it is forced. 1 s to 60 s. Default 8 s. */
  readonly shutdownTimeoutMs: number;
  readonly store: StoreConfiguration;
  /** Set when the file is the original iot-base's `config.json` (wire/iot-base.md). */
  readonly legacy: LegacyConfiguration | undefined;
}

/** The HTTP API. */
export interface HttpConfiguration {
  /** Default `127.0.0.1:8889`. */
  readonly listen: Address;
}

export interface UnitsConfiguration {
  /** Where units that dial in are taken; `undefined` (the default): nowhere. Port 8888 unless it says another. */
  readonly listen: Address | undefined;
  /** In the order of the file. At most 16 384. Default none. */
  readonly known: readonly KnownUnit[];
}

/** A unit that may be talked to. */
export interface KnownUnit {
  /** 1 to 16 octets of UTF-8; for a unit of the original's file its address, as written there. */
  readonly uid: string;
  /** The definition the base believes it runs, with this unit's own `lineEnd` and `decimals` put in. */
  readonly definition: UnitDefinition;
  /** Where to dial it; `undefined`: it dials in. Port 8888 unless it says another. */
  readonly address: Whereabouts | undefined;
  /** 16 octets; `undefined` for line units, which prove nothing. */
  readonly key: Uint8Array | undefined;
  /** A read unit of the original's file: its readings must pass {@link legacyReading} of `legacy-config.ts`. */
  readonly isLegacy: boolean;
}

/** Discovery by mDNS. */
export interface DiscoveryConfiguration {
  /** Name of the network interface, as `eth0`; `undefined` (the default): all that Avahi has, or that of the multicast route. */
  readonly interface: string | undefined;
  /** The base announces itself. Default true. */
  readonly announce: boolean;
  /** What units that are adopted may run, by name. */
  readonly definitions: ReadonlyMap<string, UnitDefinition>;
}

/** Where the base listens for commands, and publishes outcomes (reference/pusher.md). */
export interface PusherConfiguration {
  readonly key: string;
  /** Name of the vendor's cluster; `undefined` with a `host` of your own. One of the two is there. */
  readonly cluster: string | undefined;
  /** A server of your own; `undefined` (the default): the vendor's. */
  readonly host: string | undefined;
  /** Default: 443 with `tls`, 80 without. `undefined` without `host`. */
  readonly port: number | undefined;
  /** Default true. */
  readonly tls: boolean;
  /** With `secret`: outcomes are published as server events. Both or none. Default none. */
  readonly appId: string | undefined;
  readonly secret: string | undefined;
  /** Octets of the master key of `private-encrypted-` channels, 32; needs `secret`. Default none. */
  readonly encryptionKey: Uint8Array | undefined;
  /** Default `private-requests`. */
  readonly channel: string;
  /** Who authorises the channel; `undefined`: the base signs with `secret` itself. */
  readonly auth: { readonly endpoint: string; readonly token: string } | undefined;
  /** What is told on the channel; all but `outcome` need `secret`. Default `outcome` alone. */
  readonly events: readonly PublishableEvent[];
}

/** The embedded Pusher-protocol server. */
export interface HubConfiguration {
  /** Default `127.0.0.1:6001`. */
  readonly listen: Address;
  /** 1 to 16; what the file leaves out has the hub's own defaults. */
  readonly apps: readonly HubAppOptions[];
}

/** A receiver of events as Standard Webhooks. */
export interface WebhookConfiguration {
  /** `https:`, unless it is on this machine or the file says `allowHttp`. */
  readonly url: string;
  /** As the file gives it: `whsec_` and base64, or any text. */
  readonly secret: string;
  /** The secret before, which signs too while a receiver may still have that one only. Default none. */
  readonly previousSecret: string | undefined;
  /** Default all. */
  readonly events: readonly WebhookEvent[];
  /** Certificates (PEM) that are trusted for this receiver instead of the system's. Default none. */
  readonly ca: string | undefined;
  /** Default false. */
  readonly allowHttp: boolean;
  /** The host name of `url` may resolve to addresses that are not public. Default false. */
  readonly allowPrivate: boolean;
}

/** One of the two is there. */
export interface ConnectorConfiguration {
  /** Where devices connect over WebSocket; `undefined`: nowhere. */
  readonly devices: ConnectorDeviceOptions | undefined;
  /** The HTTP API of status and control; `undefined`: nowhere. */
  readonly api: ConnectorApiOptions | undefined;
}

/** Where state outlives the process, and how much of it. There is always one. */
export interface StoreConfiguration {
  /** Absolute path; `undefined` (the default): `baseunit.db` in the state folder. Backups go to `backups/` beside it. */
  readonly file: string | undefined;
  /** Readings as reported: for so many days. Default 7. */
  readonly rawDays: number;
  /** … and at most so many of one unit. Default 100 000. */
  readonly rawPerUnit: number;
  /** Their course by minute. Default 90. */
  readonly minuteDays: number;
  /** Their course by hour. Default 1 825. */
  readonly hourDays: number;
  /** The whole file; past it the oldest readings go. Default 1 024. */
  readonly maxMiB: number;
}

/** What the original's file adds: readings go to the dashboard as `PUT`s, commands may name a lamp's address. */
export interface LegacyConfiguration {
  /** The dashboard's, without a slash at the end. */
  readonly apiUrl: string;
  readonly apiToken: string;
}

export const DEFAULT_NAME = 'baseunit';
export const DEFAULT_UNIT_PORT = 8888;
export const DEFAULT_HTTP_PORT = 8889;
export const DEFAULT_HUB_PORT = 6001;
/** The original's (wire/connector.md). */
export const DEFAULT_CONNECTOR_WEBSOCKET_PORT = 8080;
export const DEFAULT_CONNECTOR_HTTP_PORT = 9090;
/** Less than the 10 s after which systemd kills (reference/limits.md). */
export const DEFAULT_SHUTDOWN_TIMEOUT_MS = 8_000;
/** A week to look at closely, a season by minute, five years by hour: 25 MiB for a unit of two numbers every 5 s. */
export const DEFAULT_STORE: StoreConfiguration = {
  file: undefined,
  rawDays: 7,
  rawPerUnit: 100_000,
  minuteDays: 90,
  hourDays: 1_825,
  maxMiB: 1_024,
};
export const DEFAULT_CHANNEL = 'private-requests';

/** `SlotsCount` of the original concentrator (reference/limits.md, "Pre-auth sockets"). */
export const MAX_KNOWN_UNITS = 16_384;
/** Each webhook is a queue and four connections of its own; a Pi serves 16 of them. */
export const MAX_WEBHOOKS = 16;
/** An embedded hub is for one house, not a hosting company. */
export const MAX_HUB_APPS = 16;
/** wire/unit.md: a UID travels in 16 octets. */
export const MAX_UID_OCTETS = 16;
/** wire/unit.md: K. */
export const KEY_OCTETS = 16;
