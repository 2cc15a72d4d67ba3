import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** What a process did to the files of one folder. Times are Unix ms, with fractions. */
export type DiskEvent =
  | {
      readonly kind: 'write';
      readonly at: number;
      readonly file: string;
      readonly offset: number;
      readonly data: Buffer;
    }
  | { readonly kind: 'truncate'; readonly at: number; readonly file: string; readonly size: number }
  /** `at`: when it was over. Everything of the file before `from` is on the disk then. */
  | { readonly kind: 'sync'; readonly at: number; readonly from: number; readonly file: string }
  | { readonly kind: 'syncFolder'; readonly at: number; readonly from: number }
  | { readonly kind: 'create'; readonly at: number; readonly file: string }
  | { readonly kind: 'remove'; readonly at: number; readonly file: string }
  | { readonly kind: 'rename'; readonly at: number; readonly file: string; readonly to: string };

/** Words for strace: everything that changes files or makes them last, with all the octets. */
export const straceWords = (output: string): string[] => [
  ...['-f', '--seccomp-bpf', '-ttt', '-y', '-xx', '-s', '16777216', '-o', output, '-e'],
  'trace=openat,pwrite64,write,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat',
];

const call = /^(\d+) +(\d+\.\d+) (\w+)\((.*)$/;
const resumed = /^(\d+) +(\d+\.\d+) <\.\.\. (\w+) resumed>(.*)$/;
const result = /\)? += (-?\d+)[^"]*$/;

/** Reads what strace wrote; what failed did nothing. Other folders' files are left out. */
export function readDiskTrace(path: string, folder: string): DiskEvent[] {
  const begun = new Map<string, { readonly at: number; readonly name: string; readonly words: string }>();
  const events: DiskEvent[] = [];
  for (const line of readFileSync(path, 'latin1').split('\n')) {
    const again = resumed.exec(line);
    const first = again === null ? call.exec(line) : null;
    if (again !== null) {
      const [, thread, at, , rest] = again;
      const before = begun.get(thread!);
      begun.delete(thread!);
      if (before !== undefined) push(before.name, before.words + rest!, before.at, Number(at) * 1_000);
    } else if (first !== null) {
      const [, thread, at, name, words] = first;
      const startedAt = Number(at) * 1_000;
      if (words!.endsWith('<unfinished ...>'))
        begun.set(thread!, { at: startedAt, name: name!, words: words!.slice(0, -'<unfinished ...>'.length) });
      else push(name!, words!, startedAt, startedAt);
    }
  }
  return events.sort((a, b) => a.at - b.at);

  function push(name: string, words: string, from: number, at: number): void {
    const ended = result.exec(words);
    if (ended === null || Number(ended[1]) < 0) return;
    const event = eventOf(name, words, from, at, folder);
    if (event !== undefined) events.push(event);
  }
}

function eventOf(name: string, words: string, from: number, at: number, folder: string): DiskEvent | undefined {
  const open = /^\d+<([^>]*)>/.exec(words)?.[1];
  const path = open === undefined ? undefined : decoded(open);
  switch (name) {
    case 'pwrite64': {
      const [, data, , offset] = /^\d+<[^>]*>, "([^"]*)", (\d+), (\d+)/.exec(words) ?? [];
      const file = fileIn(folder, path);
      if (file === undefined || data === undefined) return undefined;
      return { kind: 'write', at: from, file, offset: Number(offset), data: octetsOf(data) };
    }
    case 'write':
      // Files of the store are written at an offset; who writes one otherwise is not understood here.
      if (fileIn(folder, path)?.startsWith('baseunit.db') !== true) return undefined;
      throw new Error(`write without an offset: ${words.slice(0, 200)}`);
    case 'ftruncate': {
      const file = fileIn(folder, path);
      const size = /^\d+<[^>]*>, (\d+)/.exec(words)?.[1];
      return file === undefined ? undefined : { kind: 'truncate', at: from, file, size: Number(size) };
    }
    case 'fsync':
    case 'fdatasync': {
      if (path === folder) return { kind: 'syncFolder', at, from };
      const file = fileIn(folder, path);
      return file === undefined ? undefined : { kind: 'sync', at, from, file };
    }
    case 'openat': {
      const [, given, flags] = /^[^,]*, "([^"]*)", ([A-Z_|0-9]+)/.exec(words) ?? [];
      const file = fileIn(folder, given === undefined ? undefined : decoded(given));
      if (file === undefined || !flags!.includes('O_CREAT')) return undefined;
      return { kind: 'create', at, file };
    }
    case 'unlink':
    case 'unlinkat': {
      const file = fileIn(folder, decoded(/"([^"]*)"/.exec(words)?.[1] ?? ''));
      return file === undefined ? undefined : { kind: 'remove', at, file };
    }
    case 'rename':
    case 'renameat':
    case 'renameat2': {
      const [from_, to] = [...words.matchAll(/"([^"]*)"/g)].map(([, text]) => fileIn(folder, decoded(text!)));
      return from_ === undefined || to === undefined ? undefined : { kind: 'rename', at, file: from_, to };
    }
    default:
      return undefined;
  }
}

/** Its name, when it is right in that folder. */
function fileIn(folder: string, path: string | undefined): string | undefined {
  return path !== undefined && dirname(path) === folder ? basename(path) : undefined;
}

/** strace writes each octet as `\xhh`. */
function octetsOf(text: string): Buffer {
  return Buffer.from(text.replaceAll('\\x', ''), 'hex');
}

function decoded(text: string): string {
  return text.startsWith('\\x') ? octetsOf(text).toString('utf8') : text;
}
