/** What happens to simulated IoTSocket objects, for a terminal to print and a test to wait for. `unit` is a UID. */
export type IotsocketObjectEvent =
  /** The concentrator took the login. */
  | { readonly kind: 'connected'; readonly unit: string; readonly remote: string }
  | { readonly kind: 'redirected'; readonly unit: string; readonly host: string; readonly port: number }
  /** `code`: of a close transmission; `reason` in words; neither when the object left. */
  | { readonly kind: 'disconnected'; readonly unit: string; readonly code?: number; readonly reason?: string }
  /** There was no session: nobody listens, the key is wrong, the certificate is. */
  | { readonly kind: 'refusedConnection'; readonly unit: string; readonly reason: string }
  /** A telemetry token came, or was renewed. */
  | { readonly kind: 'token'; readonly unit: string }
  /** `sent`: the system has the datagram. */
  | { readonly kind: 'telemetry'; readonly unit: string; readonly temperature: number; readonly sent: boolean }
  /** A request of the central was echoed. */
  | { readonly kind: 'answered'; readonly unit: string; readonly format: string; readonly octets: number };

export type HearIotsocketObjects = (event: IotsocketObjectEvent) => void;
