import { TokenBucket } from '../../core/token-bucket.js';
import type { YamqttLimits } from './yamqtt-limits.js';

/** Tells whoever published what became of it. May be called when it has gone. */
export type TellPublisher = (text: string) => void;

/** A client that publishes on flows of commands: what it has of them, and how it is told. */
export class Publisher {
  readonly tell: TellPublisher;
  /** How fast it may give commands. */
  readonly rate: TokenBucket;
  /** Its commands under way. */
  underWay = 0;

  constructor(
    tell: TellPublisher,
    { commandsPerS, commandBurst }: Pick<YamqttLimits, 'commandsPerS' | 'commandBurst'>,
    nowMs: number,
  ) {
    this.tell = tell;
    this.rate = new TokenBucket({ perSecond: commandsPerS, burst: commandBurst }, nowMs);
  }
}
