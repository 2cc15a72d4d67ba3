/** What of discovery is shown and changed from outside: over the API, and by the command line. */
export interface DiscoveryPort {
  /** Units that announce themselves at this moment, by UID. */
  discovered(): readonly DiscoveredView[];
  /**
   * Makes a unit that announces itself one of this base, over restarts. Resolves when it is on disk and served; false: no
   * such unit announces itself. Rejects with ConfigurationError `request-refused` for what cannot be, with StoreError.
   */
  adopt(uid: string, input: AdoptInput): Promise<boolean>;
}

export interface AdoptInput {
  /** 16 octets; absent: a line unit's. */
  readonly key?: Uint8Array | undefined;
}

/** What is known of a unit's key by what it announces: a marker, which proves nothing. */
export const announcedKeys = ['none', 'line', 'ours', 'other', 'unknown'] as const;

export interface DiscoveredView {
  /** The UID. */
  readonly unit: string;
  /** Name of the definition that it says it runs. */
  readonly definition: string;
  readonly version: string;
  /** 16 hexadecimal digits. */
  readonly fingerprint: string;
  readonly mac?: string;
  readonly board?: string;
  /** `host:port`, the first to be dialled. */
  readonly address: string;
  /** As `lamp.local`. */
  readonly host: string;
  /**
   * `none`: it has none yet. `line`: a line unit, which needs none. `ours`, `other`: of a known unit, whether it has the key
   * that is configured. `unknown`: it has one, and this base has none to compare.
   */
  readonly key: (typeof announcedKeys)[number];
  /** It is one of this base: configured or adopted. */
  readonly isKnown: boolean;
  /** The base has a definition of that name. */
  readonly hasDefinition: boolean;
  /** And what the unit runs is the same. */
  readonly isSame: boolean;
  /** What is odd about it, for people. */
  readonly notes: readonly string[];
}
