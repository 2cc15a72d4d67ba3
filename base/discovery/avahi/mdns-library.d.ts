/**
 * What is used of `mdns` 2.7, which has no types of its own. Its files are imported one by one: its main file registers a
 * service to find out what it runs on.
 */
declare module 'mdns/lib/mdns_service.js' {
  import type { EventEmitter } from 'node:events';

  export class MDNSService extends EventEmitter {
    readonly serviceRef: object;
    start(): void;
    stop(): void;
  }
}

declare module 'mdns/lib/browser.js' {
  import { MDNSService } from 'mdns/lib/mdns_service.js';

  export class Browser extends MDNSService {
    constructor(type: string, options: object);
  }
}

declare module 'mdns/lib/advertisement.js' {
  import { MDNSService } from 'mdns/lib/mdns_service.js';

  export class Advertisement extends MDNSService {
    constructor(type: string, port: number, options: object);
  }
}

declare module 'mdns/lib/dns_sd.js' {
  const dnsSd: {
    DNSServiceResolve(
      ref: object,
      flags: number,
      interfaceIndex: number,
      name: string,
      type: string,
      domain: string,
      resolved: (
        ref: object,
        flags: number,
        interfaceIndex: number,
        errorCode: number,
        fullName: string,
        host: string,
        port: number,
        txt: Uint8Array,
      ) => void,
      context: null,
    ): void;
    if_indextoname(index: number): string;
  };
  export default dnsSd;
}
