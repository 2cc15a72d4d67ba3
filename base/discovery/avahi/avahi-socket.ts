import { connect } from 'node:net';

/** Where Avahi's daemon answers plain questions, as the system's own name service asks them. */
const SOCKET = '/run/avahi-daemon/socket';
const MAX_ANSWER = 4_096;

/** Resolves when Avahi's daemon runs and answers; rejects with why not. */
export async function askDaemon(signal: AbortSignal): Promise<void> {
  const answer = await ask('HELP', signal);
  if (!answer.startsWith('+')) throw new Error(`Avahi's daemon answered ${JSON.stringify(answer.slice(0, 80))}`);
}

/** The address of a host, as `lamp.local`, in that family; `undefined`: it has none. Rejects when the daemon is gone. */
export async function resolveHost(host: string, family: 4 | 6, signal: AbortSignal): Promise<string | undefined> {
  // A blank or a line end in it would be another question.
  if (!/^[^\s\p{Cc}]{1,253}$/u.test(host)) return undefined;
  const answer = await ask(`RESOLVE-HOSTNAME-IPV${family} ${host}`, signal);
  return /^\+ \d+ \d+ \S+ ([0-9a-f.:]+)\s*$/i.exec(answer)?.[1];
}

function ask(question: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: SOCKET, signal });
    let answer = '';
    socket.setEncoding('utf8');
    socket.once('connect', () => socket.write(`${question}\n`));
    socket.on('data', (text: string) => {
      answer += text;
      if (answer.length > MAX_ANSWER) socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(answer));
  });
}
