import type { AdoptInput, DiscoveredView, DiscoveryPort } from '../../../base/discovery/discovery-port.js';

/** Discovery in memory, with one unit that announces itself: `cellar`. */
export class KnownDiscovery implements DiscoveryPort {
  readonly adopted: (readonly [string, AdoptInput])[] = [];
  readonly announced: DiscoveredView[] = [
    {
      unit: 'cellar',
      definition: 'thermometer',
      version: '1.0.0',
      fingerprint: '0123456789abcdef',
      board: 'd1_mini',
      address: '192.168.1.30:8888',
      host: 'cellar.local',
      key: 'unknown',
      isKnown: false,
      hasDefinition: true,
      isSame: true,
      notes: [],
    },
  ];
  fault: Error | undefined;

  discovered(): readonly DiscoveredView[] {
    return this.announced;
  }

  async adopt(uid: string, input: AdoptInput): Promise<boolean> {
    if (this.fault) throw this.fault;
    if (!this.announced.some(({ unit }) => unit === uid)) return false;
    this.adopted.push([uid, input]);
    return true;
  }
}
