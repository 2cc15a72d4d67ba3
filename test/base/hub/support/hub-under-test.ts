import { onTestFinished } from 'vitest';
import type { HubAppOptions } from '../../../../base/hub/app.js';
import { Hub, type HubOptions } from '../../../../base/hub/hub.js';
import { QuietLog } from '../../../support/quiet-log.js';
import { realClock, realRandom } from './real-time.js';

/** Key and secret of the documentation's examples. */
export const APP = { id: '3', key: '278d425bdf160c739803', secret: '7ad3773142a6692b25b8' } as const;

export interface HubUnderTest {
  readonly hub: Hub;
  readonly port: number;
  readonly log: QuietLog;
}

/** A hub on a free port of this machine with one app; stopped when the test ends, after its clients. */
export async function startHub(
  app: Partial<HubAppOptions> = {},
  options: Partial<Omit<HubOptions, 'apps'>> & { readonly apps?: readonly HubAppOptions[] } = {},
): Promise<HubUnderTest> {
  const log = new QuietLog();
  const hub = new Hub({ apps: [{ ...APP, ...app }], clock: realClock, random: realRandom, log, ...options });
  onTestFinished(() => hub.stop());
  const { port } = await hub.start();
  return { hub, port, log };
}
