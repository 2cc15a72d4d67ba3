import { descriptorOf, fingerprintOctets, type UnitDefinition } from '../../../protocol/definition/index.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { emptyTypedPayload, type PayloadBlock, returnCodes } from '../../../protocol/iotsocket/transmission.js';
import { toHex } from '../../../protocol/octets.js';
import { decodeHello, encodeHelloAnswer, encodeNextBoot, type Hello } from '../../../protocol/unit/system-messages.js';
import { peerText } from '../../core/log.js';
import type { HelloInput, HelloVerdict } from '../../core/unit-events.js';
import { reasonPayload } from './reason.js';

/** What the session needs to know of the unit that has proved itself. */
export interface UnitProfile {
  readonly uid: string;
  readonly definition: UnitDefinition;
}

/** What a hello comes to, and what it is answered. */
export type Greeting = { readonly code: number; readonly payload: PayloadBlock } & (
  | { readonly kind: 'welcome'; readonly hello: Hello; readonly isAlike: boolean }
  /** The unit takes another boot number and says hello again. */
  | { readonly kind: 'again' }
  | { readonly kind: 'refused'; readonly error: ProtocolError }
);

/** Answers a hello (wire/unit.md, "Messages", 0). Throws ProtocolError `hello-malformed`. */
export function greet(
  { uid, definition }: UnitProfile,
  data: Uint8Array,
  verdictOf: (hello: HelloInput) => HelloVerdict,
  nowMs: number,
): Greeting {
  const hello = decodeHello(data);
  if (hello.definition !== definition.name) {
    const error = new ProtocolError(
      'definition-unexpected',
      `${uid} runs ${JSON.stringify(peerText(hello.definition))}; ${definition.name} is configured for it`,
    );
    return {
      kind: 'refused',
      code: returnCodes.notValid,
      payload: reasonPayload('another definition is configured'),
      error,
    };
  }
  const { boot, nonce, version, resetReason, freeHeap } = hello;
  const verdict = verdictOf({ uid, boot, nonce, version, resetReason, freeHeap });
  if (verdict.kind === 'next-boot') {
    const payload = { ...emptyTypedPayload, data: encodeNextBoot(verdict.boot) };
    return { kind: 'again', code: returnCodes.notValid, payload };
  }
  const ours = fingerprintOctets(descriptorOf(definition));
  const answer = encodeHelloAnswer({
    fingerprint: ours,
    timeMs: Math.max(0, Math.round(nowMs)),
    acknowledged: verdict.acknowledged,
    waiting: verdict.waiting,
    udpPort: 0,
  });
  const isAlike = toHex(hello.fingerprint) === toHex(ours);
  return { kind: 'welcome', code: returnCodes.valid, payload: { ...emptyTypedPayload, data: answer }, hello, isAlike };
}
