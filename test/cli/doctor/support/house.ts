import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Examination, examine } from '../../../../cli/doctor/examination.js';
import type { Finding } from '../../../../cli/doctor/finding.js';
import { type System, thisSystem } from '../../../../cli/doctor/system.js';
import { temporaryFolder } from '../../support/program.js';

/** A machine in a folder: its own `/dev`, `/etc`, `/proc`; a configuration, and what lies beside it. */
export class House {
  readonly folder = temporaryFolder();
  readonly root = join(this.folder, 'root');
  readonly config = join(this.folder, 'base.json');

  /** A file of the configuration's folder; gives its path. */
  write(name: string, content: string | Uint8Array, mode = 0o600): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  }

  /** A file of the machine, as `etc/group`. */
  put(name: string, content = ''): string {
    return this.write(join('root', name), content, 0o644);
  }

  /** A link of the machine, as those of `/proc/…/fd`. */
  link(name: string, target: string): void {
    const path = join(this.root, name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  }

  /** This machine, but for its root and what the test says; its programs are not there unless the test says so. */
  system(given: Partial<System> = {}): System {
    const nothing = async (): Promise<undefined> => undefined;
    return {
      ...thisSystem({}),
      root: this.root,
      run: nothing,
      problemOfPackage: nothing,
      timeoutMs: 15_000,
      user: { uid: process.getuid!(), name: 'pi', groups: [1000] },
      ...given,
    };
  }

  /** With that configuration: an object, or the text of the file as it is. */
  async examine(configuration?: object | string, given: Partial<System> = {}): Promise<Examination> {
    if (configuration !== undefined) {
      const text = typeof configuration === 'string' ? configuration : JSON.stringify(configuration);
      this.write('base.json', text);
    }
    return examine({ system: this.system(given), config: this.config });
  }
}

/** The names of the findings, in their order. */
export const namesOf = (findings: readonly Finding[]): string[] => findings.map(({ finding }) => finding);

/** The one finding of that name. */
export function only(findings: readonly Finding[], name: Finding['finding']): Finding {
  const found = findings.filter(({ finding }) => finding === name);
  if (found.length !== 1) throw new Error(`${found.length} findings ${name} in ${JSON.stringify(findings, null, 1)}`);
  return found[0]!;
}
