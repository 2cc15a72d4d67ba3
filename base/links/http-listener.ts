import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { ConfigurationError } from '../../protocol/errors.js';
import { boundedAnswers } from './bounded-answers.js';
import type { HttpBounds } from './http-bounds.js';

/** A client whose machine is gone without a word is noticed by TCP itself (reference/limits.md, Heartbeat). */
const TCP_KEEP_ALIVE_MS = 30_000;
/** For a TLS handshake, where nothing is said (reference/limits.md, "TCP pre-auth"). */
const TLS_HANDSHAKE_MS = 15_000;

/** Certificate and key of a server, which may change while it runs. `Certificates` are such. */
export interface HttpCertificates {
  readonly pem: { readonly cert: string; readonly key: string };
  /** Returns how to leave. */
  onChange(call: () => void): () => void;
}

export interface HttpListenerOptions {
  /** Where the certificates are configured, for errors: `iotsocket.tls`. */
  readonly tlsSetting: string;
  /** `undefined`: HTTP in clear. */
  readonly certificates: HttpCertificates | undefined;
  readonly bounds: HttpBounds;
  /** Default 15 s. */
  readonly tlsHandshakeMs?: number | undefined;
}

/** A server with its bounds, that does not listen yet. Throws ConfigurationError `config-invalid` for a certificate that is none. */
export function createHttpListener(options: HttpListenerOptions, answer: RequestListener): Server {
  const { tlsSetting, certificates, bounds, tlsHandshakeMs = TLS_HANDSHAKE_MS } = options;
  const handler = boundedAnswers(answer, bounds);
  const common = {
    headersTimeout: bounds.headersTimeoutMs,
    requestTimeout: bounds.requestTimeoutMs,
    connectionsCheckingInterval: bounds.checkIntervalMs,
    keepAliveTimeout: bounds.keepAliveMs,
    maxHeaderSize: bounds.headerOctets,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
  };
  let server: Server;
  try {
    server =
      certificates === undefined
        ? createServer(common, handler)
        : createTlsServer(
            { ...common, ...certificates.pem, minVersion: 'TLSv1.2', handshakeTimeout: tlsHandshakeMs },
            handler,
          );
  } catch (cause) {
    throw new ConfigurationError('config-invalid', `${tlsSetting}: ${(cause as Error).message}`, { cause });
  }
  server.maxConnections = bounds.sockets;
  // One more than allowed: Node leaves out those past its bound, and nobody could tell.
  server.maxHeadersCount = bounds.headers + 1;
  // Who asks first whether to send its body is told so only when it may.
  server.on('checkContinue', handler);
  return server;
}
