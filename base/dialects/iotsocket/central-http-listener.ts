import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { ConfigurationError } from '../../../protocol/errors.js';
import type { CentralHttpLimits } from './central-http-limits.js';

/** A client whose machine is gone without a word is noticed by TCP itself (reference/limits.md, Heartbeat). */
const TCP_KEEP_ALIVE_MS = 30_000;

/** Certificate and key of the server, which may change while it runs. */
export interface HttpCertificates {
  readonly pem: { readonly cert: string; readonly key: string };
  /** Returns how to leave. */
  onChange(call: () => void): () => void;
}

export interface HttpListenerOptions {
  /** `undefined`: HTTP in clear. */
  readonly certificates: HttpCertificates | undefined;
  readonly handler: RequestListener;
  readonly http: CentralHttpLimits;
  readonly tlsHandshakeMs: number;
}

/** A server with its bounds, that does not listen yet. Throws ConfigurationError `config-invalid` for a certificate that is none. */
export function createHttpListener({ certificates, handler, http, tlsHandshakeMs }: HttpListenerOptions): Server {
  const bounds = {
    headersTimeout: http.headersTimeoutMs,
    requestTimeout: http.requestTimeoutMs,
    connectionsCheckingInterval: http.checkIntervalMs,
    keepAliveTimeout: http.keepAliveMs,
    maxHeaderSize: http.headerOctets,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
  };
  let server: Server;
  try {
    server =
      certificates === undefined
        ? createServer(bounds, handler)
        : createTlsServer({ ...bounds, ...certificates.pem, handshakeTimeout: tlsHandshakeMs }, handler);
  } catch (cause) {
    throw new ConfigurationError('config-invalid', `iotsocket.tls: ${(cause as Error).message}`, { cause });
  }
  server.maxConnections = http.sockets;
  // One more than allowed: Node leaves out those past its bound, and nobody could tell.
  server.maxHeadersCount = http.headers + 1;
  // Who asks first whether to send its body is told so only when it may.
  server.on('checkContinue', handler);
  return server;
}

/** Why nobody can listen there, as a ConfigurationError where it is the configuration's fault. */
export function listenError(cause: NodeJS.ErrnoException, address: string): Error {
  const wrong = (code: 'port-in-use' | 'config-invalid', what: string): ConfigurationError =>
    new ConfigurationError(code, `iotsocket.http ${address} ${what}`, { cause });
  switch (cause.code) {
    case 'EADDRINUSE':
      return wrong('port-in-use', 'is in use by another program; stop that or choose another port');
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return wrong('config-invalid', 'is no address of this machine');
    case 'EACCES':
      return wrong('config-invalid', 'may only be used by root; choose a port above 1023');
    default:
      return cause;
  }
}
