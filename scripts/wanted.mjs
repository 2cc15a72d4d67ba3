import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

// What is wanted of the machine beside Node: a `program` in PATH or a `file`, the Debian `package` that has it, and what for.

/** What npm needs to compile a package that is not there ready-made for this machine. */
export const BUILD_TOOLS = ['python3', 'make', 'g++'].map((name) => ({
  program: name,
  package: name,
  what: 'compiling SQLite',
}));

/** What the optional package `mdns` is compiled against; without it units are found another way. */
export const MDNS_HEADER = '/usr/include/dns_sd.h';

/** By goal, what can wait until npm has installed, or be installed beside it. */
export const WANTED = {
  start: [{ program: 'g++', package: 'g++', what: 'building firmware for this machine' }],
  test: [
    { program: 'strace', package: 'strace', what: 'power cuts and failing disks in the tests' },
    { program: 'mount', package: 'mount', what: 'a small disk that is full in the tests' },
    { program: 'openssl', package: 'openssl', what: 'certificates of the test servers' },
    { program: 'ip', package: 'iproute2', what: 'network namespaces of the tests' },
    { program: 'ps', package: 'procps', what: 'looking for processes left behind' },
    { program: 'git', package: 'git', what: 'a fresh checkout in the tests' },
    { program: 'curl', package: 'curl', what: 'the command that the demonstration prints' },
    { program: 'systemd-notify', package: 'systemd', what: 'the notices of a service, and its unit, in the tests' },
    { program: 'wsdump', package: 'python3-websocket', what: 'a device of the cloud connector in Python' },
    { program: 'xtensa-lx106-elf-g++', package: 'gcc-xtensa-lx106', what: 'firmware for the ESP8266 in the tests' },
    {
      file: '/usr/lib/xtensa-lx106-elf/include/string.h',
      package: 'picolibc-xtensa-lx106-elf',
      what: 'the C library of that compiler',
    },
    { program: 'qemu-system-xtensa', package: 'qemu-system-misc', what: 'running that firmware' },
    { program: 'avr-g++', package: 'gcc-avr', what: 'firmware for the Arduino Uno in the tests' },
    { file: '/usr/lib/avr/include/avr/io.h', package: 'avr-libc', what: 'the C library of that compiler' },
    {
      file: '/usr/share/arduino/hardware/arduino/avr',
      package: 'arduino-core-avr',
      what: 'what a sketch for the Uno is built on',
    },
    { file: '/usr/include/simavr/sim_avr.h', package: 'libsimavr-dev', what: 'a simulated Uno' },
    { program: 'socat', package: 'socat', what: 'serial lines of the tests' },
    { program: 'dbus-daemon', package: 'dbus-daemon', what: 'the Avahi of the tests' },
    { program: 'avahi-daemon', package: 'avahi-daemon', what: 'units announced over multicast in the tests' },
    { program: 'avahi-publish', package: 'avahi-utils', what: 'announcing them' },
  ],
  build: [],
};

/** For tests, before npm installs: what it compiles is compiled against these. */
export const WANTED_BEFORE_NPM = [
  ...BUILD_TOOLS,
  { file: MDNS_HEADER, package: 'libavahi-compat-libdnssd-dev', what: 'the package mdns, which the tests compare' },
];

/** Those of a list that are not there. */
export const missingOf = (wanted) => wanted.filter(({ program, file }) => !(file ? existsSync(file) : has(program)));

/** Programs for administrators are in folders that others have not in their PATH. */
const ALSO = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

export function has(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...ALSO];
  return folders.some((folder) => folder !== '' && existsSync(join(folder, program)));
}
