import type { Payload } from '../../../protocol/iotsocket/payload.js';
import { BASE_STOPS } from '../../core/mailbox.js';
import type { Outcome } from '../../core/messages.js';

/** What a device is asked for: to do something, or to tell something. */
export type Asking = 'command' | 'query';

/** What whoever asked is answered: `errors` of a device that answered, `error` where none did. */
export interface DeviceAnswer {
  readonly status: number;
  readonly body:
    | { readonly response: string; readonly errors: string }
    | { readonly response: ''; readonly error: string };
}

/** The device answered, or the base in its place: `errors` says why it would not. */
export const answered = (response: string, errors = ''): DeviceAnswer => ({ status: 200, body: { response, errors } });
export const notAnswered = (status: number, error: string): DeviceAnswer => ({
  status,
  body: { response: '', error },
});

export const notFound: DeviceAnswer = notAnswered(404, 'Device not found');
export const timedOut = (asking: Asking): DeviceAnswer => notAnswered(408, `Device ${asking} timeout`);
export const baseStops: DeviceAnswer = notAnswered(
  503,
  'The base is stopping; whether the device got it is not known.',
);

/** A payload as text: JSON as it is written, but a string in it as it is; binary in base64. */
function textOf({ format, value }: Payload): string {
  if (format === 'binary') return Buffer.from(value as readonly number[]).toString('base64');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What a command's outcome is to whoever asked. */
export function answerOf(asking: Asking, outcome: Outcome): DeviceAnswer {
  const { payload, reply, reason = '' } = outcome;
  const response = payload !== undefined ? textOf(payload) : reply === undefined ? '' : JSON.stringify(reply);
  switch (outcome.outcome) {
    case 'ok':
      return answered(response);
    case 'unreachable':
      return reason === BASE_STOPS ? baseStops : notFound;
    case 'timeout':
    case 'expired':
    // Its connection was lost on the way: no answer will come.
    case 'unknown':
      return timedOut(asking);
    case 'refused':
    case 'duplicate':
      return answered(response, reason || outcome.outcome);
  }
}
