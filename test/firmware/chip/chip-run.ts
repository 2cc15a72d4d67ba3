import { findProgram } from '../../../codegen/find-program.js';
import { LineProgram } from '../runtime/cpp-program.js';

/** A program that has not ended after so long hangs; the longest run takes a second. */
const MAX_SECONDS = 30;

/** Starts a program on an emulated lx106 core. Its exit status is the program's; a program that hangs is ended, with 124. */
export function startOnChip(program: string, maxSeconds = MAX_SECONDS): LineProgram {
  if (findProgram(['qemu-system-xtensa']) === undefined)
    throw new Error('no emulator for the ESP8266: sudo apt install qemu-system-misc');
  const emulator = ['qemu-system-xtensa', '-M', 'sim', '-cpu', 'lx106', '-semihosting'];
  // Without a serial port, the program reads and writes the emulator's own stdin and stdout.
  const console = ['-display', 'none', '-monitor', 'none', '-serial', 'none'];
  return new LineProgram('timeout', ['-k', '5', String(maxSeconds), ...emulator, ...console, '-kernel', program]);
}
