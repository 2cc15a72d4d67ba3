/** What of the gateway is shown and changed from outside: over the API, and by the command line. */
export interface ElfinPort {
  /** By uuid. */
  users(): readonly ElfinUserView[];
  /**
   * Adds a user, or changes one. A secret: from now on each of its messages must carry it; absent: what was stays; `null`: none.
   * Resolves when it is on disk. Rejects with StoreError.
   */
  putUser(user: ElfinUserInput): Promise<ElfinUserView>;
  /** With all devices and tunnels of it. False: there is none. Resolves when it is gone from the disk. Rejects with StoreError. */
  removeUser(uuid: string): Promise<boolean>;
  /** Of one user, or of all. Unseen longest last. */
  devices(uuid?: string): readonly ElfinDeviceView[];
  tunnels(): readonly ElfinTunnelView[];
}

/** Of a user's name. */
export const MAX_NAME_CHARACTERS = 128;

export interface ElfinUserInput {
  readonly uuid: string;
  /** For people: at most 128 characters. */
  readonly name?: string | undefined;
  readonly secret?: string | null | undefined;
}

export interface ElfinUserView {
  readonly uuid: string;
  readonly name?: string;
  readonly hasSecret: boolean;
  /** How many it has. */
  readonly devices: number;
}

export interface ElfinDeviceView {
  /** UID of its unit: its MAC, in capitals with colons. */
  readonly unit: string;
  /** As it says it. */
  readonly mac: string;
  readonly user: string;
  readonly host: string;
  /** Unix ms. */
  readonly lastSeenAt: number;
  /** Seen within the last 60 s. */
  readonly isOnline: boolean;
}

export interface ElfinTunnelView {
  readonly user: string;
  readonly ends: readonly [ElfinEndView, ElfinEndView];
  /** Unix ms. */
  readonly openedAt: number;
}

/** One end of a tunnel, and what it has sent into it. */
export interface ElfinEndView {
  /** UID of the device's unit; absent: it is no device, but the connection that asked for the tunnel. */
  readonly unit?: string;
  readonly remoteAddress: string;
  readonly octets: number;
  readonly messages: number;
}
