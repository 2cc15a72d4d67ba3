import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** A line unit at a real port: what it is written is kept, and it closes when the base has, unless it is told not to. */
export class LineUnit {
  readonly #server: Server;
  readonly sockets: Socket[] = [];
  /** What each connection was written, and `|` where the base half-closed. */
  readonly written: string[] = [];
  open = 0;
  mostOpen = 0;
  closesToo = true;
  greeting = '';

  constructor() {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  async listen(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get last(): Socket {
    return this.sockets.at(-1)!;
  }

  #accept(socket: Socket): void {
    const index = this.sockets.push(socket) - 1;
    this.written.push('');
    this.open += 1;
    this.mostOpen = Math.max(this.mostOpen, this.open);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.written[index] += chunk.toString('latin1');
    });
    socket.on('end', () => {
      this.written[index] += '|';
      if (this.closesToo) socket.end();
    });
    socket.on('close', () => {
      this.open -= 1;
    });
    if (this.greeting !== '') socket.write(this.greeting);
  }
}

/** Waits for something that real sockets bring about; the test's own time-out is the deadline. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
