import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A serial port of this machine. What is not known of it is absent. */
export interface ListedPort {
  /** `/dev/ttyUSB0`. */
  readonly path: string;
  /** The same port by the board's own name, which stays when others are plugged in: `/dev/serial/by-id/…`. */
  readonly lasting?: string;
  readonly manufacturer?: string;
  readonly product?: string;
  /** Of USB, four hexadecimal digits each. */
  readonly vendorId?: string;
  readonly productId?: string;
  readonly serialNumber?: string;
}

/** Ports that a board can be at: USB, and the Pi's own pins. A PC's `ttyS…` are there without any plug. */
const portNames = /^tty(USB|ACM|AMA)\d+$/;
/** From the port's folder to that of its USB device: an interface and a port lie between. */
const MAX_LEVELS = 4;

/** The serial ports that are there, by path; `root` is `/`. Rejects where they cannot be listed. */
export async function listPorts(root = '/'): Promise<ListedPort[]> {
  if (process.platform !== 'linux') return portsOfPackage();
  const names = namesIn(join(root, 'dev')).filter((name) => portNames.test(name));
  const lasting = lastingNames(root);
  return names.sort(byNumber).map((name) => {
    const alias = lasting.get(`/dev/${name}`);
    return { path: `/dev/${name}`, ...(alias && { lasting: alias }), ...usbDevice(root, name) };
  });
}

async function portsOfPackage(): Promise<ListedPort[]> {
  const { SerialPort } = await import('serialport');
  return (await SerialPort.list()).map(({ path, manufacturer, vendorId, productId, serialNumber }) => ({
    path,
    ...known({ manufacturer, vendorId, productId, serialNumber }),
  }));
}

/** What the kernel tells of the USB device that the port belongs to. */
function usbDevice(root: string, name: string): Omit<ListedPort, 'path'> {
  let folder: string;
  try {
    folder = realpathSync(join(root, 'sys', 'class', 'tty', name, 'device'));
  } catch {
    return {};
  }
  for (let level = 0; level < MAX_LEVELS; level += 1) {
    const vendorId = lineIn(join(folder, 'idVendor'));
    if (vendorId !== undefined) {
      return known({
        manufacturer: lineIn(join(folder, 'manufacturer')),
        product: lineIn(join(folder, 'product')),
        vendorId,
        productId: lineIn(join(folder, 'idProduct')),
        serialNumber: lineIn(join(folder, 'serial')),
      });
    }
    folder = dirname(folder);
  }
  return {};
}

/** Links of `udev`, by the path they lead to. */
function lastingNames(root: string): ReadonlyMap<string, string> {
  const folder = '/dev/serial/by-id';
  return new Map(
    namesIn(join(root, folder)).flatMap((name) => {
      try {
        return [
          [
            `/dev/${realpathSync(join(root, folder, name))
              .split('/')
              .at(-1)}`,
            `${folder}/${name}`,
          ],
        ];
      } catch {
        return [];
      }
    }),
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function lineIn(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

/** `ttyUSB2` before `ttyUSB10`. */
const byNumber = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

const known = <T extends Readonly<Record<string, string | undefined>>>(facts: T): { [K in keyof T]?: string } =>
  Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== undefined)) as { [K in keyof T]?: string };
