import { onTestFinished } from 'vitest';
import {
  CentralClient,
  type CentralClientOptions,
  type ClientPlatform,
  ObjectClient,
  type ObjectClientOptions,
} from '../../../../clients/iotsocket/index.js';
import { countingCrypto } from '../../../protocol/crypto.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { Heard } from './heard.js';
import { KEY, type PeerConnection, ScriptedPeer } from './scripted-peer.js';

/** Time stands still; the first tracking number is 0 unless said otherwise. */
export interface TestPlatform extends ClientPlatform {
  readonly clock: ManualClock;
}

export const testPlatform = (firstNumber = 0): TestPlatform => ({
  clock: new ManualClock(),
  fraction: () => firstNumber / 0x1_0000,
  crypto: countingCrypto(0),
});

export interface TestObject {
  readonly object: ObjectClient;
  readonly heard: Heard;
  readonly clock: ManualClock;
}

/** An object `ObjTest`, closed after the test. */
export function testObject(options: Partial<ObjectClientOptions>, platform = testPlatform()): TestObject {
  const object = new ObjectClient({ uid: 'ObjTest', key: KEY, platform, ...options });
  onTestFinished(() => object.close());
  return { object, heard: new Heard(object), clock: platform.clock };
}

export interface ConnectedObject extends TestObject {
  readonly peer: ScriptedPeer;
  readonly connection: PeerConnection;
}

/** The same, with an open session at a scripted concentrator. */
export async function connectedObject(
  options: Partial<ObjectClientOptions> = {},
  platform = testPlatform(),
): Promise<ConnectedObject> {
  const peer = await ScriptedPeer.start();
  const subject = testObject({ host: '127.0.0.1', port: peer.port, ...options }, platform);
  const [connection] = await Promise.all([
    peer.opened(undefined, options.version === 0 ? '00000000' : undefined),
    subject.object.connect(),
  ]);
  return { ...subject, peer, connection };
}

export interface TestCentral {
  readonly central: CentralClient;
  readonly heard: Heard;
  readonly clock: ManualClock;
}

export function testCentral(options: Partial<CentralClientOptions>, platform = testPlatform()): TestCentral {
  const central = new CentralClient({ key: KEY, platform, ...options });
  onTestFinished(() => central.close());
  return { central, heard: new Heard(central), clock: platform.clock };
}
