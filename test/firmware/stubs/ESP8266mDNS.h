#pragma once

#include <stdint.h>

// Signatures as in libraries/ESP8266mDNS/src/LEAmDNS.h of the core.
class MDNSResponder {
 public:
  typedef const void* hMDNSService;
  typedef const void* hMDNSTxt;

  bool begin(const char* hostname);
  hMDNSService addService(const char* name, const char* service, const char* protocol, uint16_t port);
  hMDNSTxt addServiceTxt(const hMDNSService service, const char* key, const char* value);
  bool update(void);
  bool end(void);
};

extern MDNSResponder MDNS;
