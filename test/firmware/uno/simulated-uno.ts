import { join } from 'node:path';
import { buildCProgram } from '../../../codegen/build-c-program.js';
import { LineProgram } from '../runtime/cpp-program.js';
import { root } from './avr-build.js';

/** No answer of a sketch takes longer, in its own time. */
const MAX_ANSWER_MS = 200;

/** A simulated Arduino Uno that runs a program: uno_simulator.c has what can be asked of it. Its time passes in `run` only. */
export class SimulatedUno {
  readonly #program: LineProgram;

  private constructor(program: LineProgram) {
    this.#program = program;
  }

  static async start(firmware: string): Promise<SimulatedUno> {
    const source = join(import.meta.dirname, 'uno_simulator.c');
    const simulator = await buildCProgram(root, 'uno-simulator', [source], ['simavr']).catch((cause: unknown) => {
      throw new Error('no simulated Arduino Uno: sudo apt install libsimavr-dev', { cause });
    });
    return new SimulatedUno(new LineProgram(simulator, [firmware]));
  }

  /** Lets time pass; what it sends over the serial line meanwhile. */
  async run(ms: number): Promise<string> {
    const answer = await this.#program.ask(`run ${ms}`);
    if (answer === 'crashed') throw new Error('the simulated Uno crashed');
    return answer === '-' ? '' : Buffer.from(answer, 'hex').toString('latin1');
  }

  /** Text over the serial line, and what it sends in so many ms. */
  async hear(text: string, ms: number): Promise<string> {
    await this.#program.ask(`give ${Buffer.from(text, 'latin1').toString('hex')}`);
    return this.run(ms);
  }

  /** One line, and the line it is answered with. */
  async ask(line: string): Promise<string> {
    let heard = await this.hear(`${line}\n`, 2);
    for (let ms = 2; !heard.endsWith('\n') && ms < MAX_ANSWER_MS; ms += 2) heard += await this.run(2);
    return heard;
  }

  async light(millivolts: number): Promise<void> {
    await this.#program.ask(`light ${millivolts}`);
  }

  /** What the pins 9, 10 and 11 give, 0 to 255 each. */
  pwm(): Promise<string> {
    return this.#program.ask('pwm');
  }

  /** The most octets of stack that were ever in use. */
  async stackOctets(): Promise<number> {
    return Number(await this.#program.ask('stack'));
  }

  async stop(): Promise<void> {
    const { status, complaints } = await this.#program.stop();
    if (status !== 0 || complaints !== '') throw new Error(`the simulated Uno ended with ${status}: ${complaints}`);
  }
}
