/** Why a message of a client is refused: what it is told in an `e` (wire/yamqtt.md). Short, and ASCII. */
export const refusals = {
  unknownAction: 'unknown action',
  notOfClients: 'm comes from the server only',
  noNumber: 'the flow is no number',
  outOfRange: 'the flow is not 1 to 65535',
  publishOnNone: 'flow 0 cannot be published on',
  subscribeToNone: 'flow 0 cannot be subscribed to',
  tooManyOfClient: 'too many subscriptions of this client',
  tooManyInAll: 'too many subscriptions in the base',
} as const;

export type Refusal = keyof typeof refusals;
