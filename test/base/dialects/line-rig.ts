import { afterEach, expect } from 'vitest';
import type { ServedUnit } from '../../../base/dialects/handler.js';
import { LineDialect } from '../../../base/dialects/line/line-dialect.js';
import { TcpDialer } from '../../../base/links/tcp-dialer.js';
import type { UnitDefinition } from '../../../protocol/definition/index.js';
import { DialectRig } from './dialect-rig.js';
import { LineUnit, until } from './line-unit.js';

const rigs: DialectRig[] = [];
const units: LineUnit[] = [];

afterEach(async () => {
  for (const rig of rigs.splice(0)) {
    let isStopped = false;
    void rig.stop().then(() => {
      isStopped = true;
    });
    // Half-closed sockets need a turn of the network; a unit that does not close needs the clock.
    for (let turn = 0; turn < 50 && !isStopped; turn += 1) await rig.clock.advance(turn < 40 ? 0 : 1_000);
    await until(() => isStopped);
    await rig.clock.advance(0);
    expect(rig.clock.waiting, 'timers left behind').toBe(0);
    expect(rig.table.size, 'links still claimed').toBe(0);
  }
  for (const unit of units.splice(0)) await unit.close();
});

export async function lineUnit(): Promise<LineUnit> {
  const unit = await new LineUnit().listen();
  units.push(unit);
  return unit;
}

/** A line dialect on real sockets and a clock advanced by hand, serving `lamp` at that port. */
export async function lineBase(
  definition: UnitDefinition,
  port: number,
  more: Partial<ServedUnit> = {},
): Promise<DialectRig> {
  const rig = new DialectRig();
  rigs.push(rig);
  rig.dialer = new TcpDialer(rig.clock);
  const served = { uid: 'lamp', definition, address: { host: '127.0.0.1', port }, key: undefined, ...more };
  await rig.start(new LineDialect(), [served]);
  return rig;
}
