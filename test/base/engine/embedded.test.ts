import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type OpenFile, openHere } from '../../../base/engine/embedded/sqlite-port.js';
import { openInThread } from '../../../base/engine/embedded/sqlite-thread.js';
import { ManualClock } from '../../support/manual-clock.js';
import { type EngineUnderTest, engineContract } from './contract.js';
import { folder, openEngine } from './support/open-engine.js';

/** The thread's program, compiled: Node runs no TypeScript. */
const program = pathToFileURL(join(process.cwd(), 'dist/base/engine/embedded/sqlite-worker.js'));

/** A crash leaves the files as they are: a copy of them, made while the first still has them open, is what is found. */
function embedded(open: OpenFile): () => EngineUnderTest {
  return () => {
    const clock = new ManualClock();
    let path = folder();
    const file = (): string => join(path, 'baseunit.db');
    return {
      clock,
      open: () => openEngine({ file: file(), clock, open }),
      crash: async () => {
        const copy = folder();
        cpSync(path, copy, { recursive: true });
        path = copy;
      },
    };
  };
}

engineContract('SQLite in this thread', embedded(openHere));
engineContract(
  'SQLite in a thread of its own',
  embedded((path, stamp) => openInThread(path, stamp, program)),
);
