import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listPorts } from '../../../../base/links/serial/port-list.js';
import { temporaryFolder } from '../../../cli/support/program.js';

/** Files below `root`, as the kernel and udev have them. */
function machine(files: Readonly<Record<string, string>>, links: Readonly<Record<string, string>> = {}): string {
  const root = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  return root;
}

const usb = 'sys/devices/usb1/1-1';

test('ports of boards in the order of their numbers, with what USB tells of them and their lasting names', async () => {
  const root = machine(
    {
      'dev/ttyUSB10': '',
      'dev/ttyUSB2': '',
      'dev/ttyAMA0': '',
      'dev/ttyS0': '',
      'dev/tty1': '',
      [`${usb}/idVendor`]: '1a86\n',
      [`${usb}/idProduct`]: '7523\n',
      [`${usb}/product`]: 'USB Serial\n',
      [`${usb}/manufacturer`]: '\n',
      [`${usb}/1-1:1.0/ttyUSB2/port_number`]: '0',
    },
    {
      'sys/class/tty/ttyUSB2/device': `../../../../${usb}/1-1:1.0/ttyUSB2`,
      'dev/serial/by-id/usb-1a86_USB_Serial-if00-port0': '../../ttyUSB2',
    },
  );
  expect(await listPorts(root)).toEqual([
    { path: '/dev/ttyAMA0' },
    {
      path: '/dev/ttyUSB2',
      lasting: '/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0',
      product: 'USB Serial',
      vendorId: '1a86',
      productId: '7523',
    },
    { path: '/dev/ttyUSB10' },
  ]);
});

test('no ports, and no folder of devices', async () => {
  expect(await listPorts(machine({ 'dev/null': '' }))).toEqual([]);
  expect(await listPorts(temporaryFolder())).toEqual([]);
});
