import { existsSync } from 'node:fs';
import { ConfigurationError, LinkError } from '../../../protocol/errors.js';
import type { SerialAddress } from '../../core/address.js';
import { type Clock, delay } from '../../core/clock.js';
import { listPorts } from './port-list.js';

/** An open serial port, as the package `serialport` gives it. */
export interface SerialPort {
  /** At least one octet. Rejects when the port is gone or closed. */
  read(buffer: Buffer, offset: number, length: number): Promise<{ readonly bytesRead: number }>;
  /** Resolves when the system has taken all of it. One at a time. */
  write(octets: Buffer): Promise<void>;
  /** Resolves when what was written is on the line. */
  drain(): Promise<void>;
  /** Throws away what was received and not read, and what was written and is not on the line yet. */
  flush(): Promise<void>;
  set(lines: { readonly dtr: boolean; readonly rts: boolean }): Promise<void>;
  close(): Promise<void>;
}

/** What we need of the package. */
interface SerialPackage {
  readonly SerialPort: {
    readonly binding: {
      open(options: {
        readonly path: string;
        readonly baudRate: number;
        readonly lock: boolean;
        readonly hupcl: boolean;
      }): Promise<SerialPort>;
    };
  };
}

/**
 * Who had the port may be about to let it go, as may a process that this one is just starting: until it is another program,
 * it holds all that is open here.
 */
const OPEN_ATTEMPTS = 6;
const AGAIN_MS = 50;

/** Loaded when a port is opened: that takes a while on a Pi, and its compiled part need not be there without serial units. */
const loadPackage = (): Promise<SerialPackage> => import('serialport');

/**
 * Opens a serial port for this process alone (8N1, no flow control), and throws away what was received before. Rejects with
 * LinkError: `serial-busy` when another program has it, otherwise `connect-failed`; with ConfigurationError `tool-missing`
 * where the package cannot be loaded.
 */
export async function openSerialPort(
  { serial: path, baud }: SerialAddress,
  clock: Clock,
  load = loadPackage,
): Promise<SerialPort> {
  const { SerialPort } = await load().catch((error: Error) => {
    const what = `serial ports cannot be used here: the package serialport cannot be loaded (${error.message}); npm rebuild`;
    throw new ConfigurationError('tool-missing', what, { cause: error });
  });
  // With `hupcl` the lines would drop at the close, and boards would restart.
  const open = (): Promise<SerialPort> => SerialPort.binding.open({ path, baudRate: baud, lock: true, hupcl: false });
  let port: SerialPort | undefined;
  for (let attempt = 1; port === undefined; attempt += 1) {
    try {
      port = await open();
    } catch (error) {
      if (attempt === OPEN_ATTEMPTS || !isBusy(error as Error)) throw await explained(path, error as Error);
      await delay(clock, AGAIN_MS);
    }
  }
  // A NodeMCU is held in reset, or in its boot loader, by one of these lines without the other; a pseudo-terminal has none.
  await port.set({ dtr: false, rts: false }).catch(() => {});
  await port.flush().catch(() => {});
  return port;
}

async function explained(path: string, error: Error): Promise<LinkError> {
  const failed = (what: string): LinkError => new LinkError('connect-failed', `${path} ${what}`, { cause: error });
  if (!existsSync(path)) {
    const ports = await listPorts().catch(() => []);
    const there =
      ports.length === 0 ? 'no board is plugged in' : `there are ${ports.map((port) => port.path).join(', ')}`;
    return failed(`is not there (${there}): plug the board in`);
  }
  // The package tells no codes.
  if (/permission denied|not permitted/i.test(error.message))
    return failed('may not be used by this user: sudo usermod -aG dialout $USER, then log out and in again');
  if (!isBusy(error)) return failed(`cannot be opened: ${error.message}`);
  const busy = `${path} is held by another program, as a serial monitor or another base: end that one; fuser ${path} names it`;
  return new LinkError('serial-busy', busy, { cause: error });
}

const isBusy = ({ message }: Error): boolean => /cannot lock|busy/i.test(message);
