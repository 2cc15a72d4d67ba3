import { printError } from './terminal.js';

const CTRL_C = '\x03';
const CTRL_D = '\x04';
const BACKSPACES = new Set(['\x7f', '\b']);
/** Ended by Ctrl-C, as a shell says it. */
const INTERRUPTED = 130;

/** Asks on the terminal; what is typed is not shown. Only where `process.stdin` is a terminal. */
export function askSecret(question: string): Promise<string> {
  const { stdin } = process;
  // Before the question: who answers at once must not see it either.
  stdin.setRawMode(true);
  stdin.setEncoding('utf8').resume();
  return new Promise((resolve) => {
    let typed = '';
    const over = (): void => {
      stdin.setRawMode(false);
      stdin.pause();
      stdin.off('data', hear);
      printError('');
    };
    const hear = (text: string): void => {
      for (const letter of text) {
        if (letter === CTRL_C) {
          over();
          process.exit(INTERRUPTED);
        }
        if (letter === '\r' || letter === '\n' || letter === CTRL_D) {
          over();
          return resolve(typed);
        }
        typed = BACKSPACES.has(letter) ? [...typed].slice(0, -1).join('') : typed + letter;
      }
    };
    stdin.on('data', hear);
    process.stderr.write(question);
  });
}
