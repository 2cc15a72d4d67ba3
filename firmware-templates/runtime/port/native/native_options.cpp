#if !defined(ARDUINO)

#include "native_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace bu::native {

namespace {

[[noreturn]] void complain(const char* what, const char* value) {
  fprintf(stderr,
          "%s: %s\nusage: --uid NAME --key HEX32 (or BASEUNIT_KEY) [--listen HOST:PORT] [--state FILE] "
          "[--with-parent PID]\n",
          what, value);
  exit(2);
}

void parseUid(const char* text, Options& options) {
  const size_t length = strlen(text);
  if (length == 0 || length > uidOctets) complain("--uid needs 1 to 16 octets", text);
  memcpy(options.identity.uid + uidOctets - length, text, length);
  options.hasUid = true;
}

void parseKey(const char* text, Options& options) {
  const size_t digits = 2 * keyOctets;
  if (strlen(text) != digits || strspn(text, "0123456789abcdefABCDEF") != digits) {
    // The key itself is never repeated: this goes to a log.
    complain("--key needs 32 hexadecimal digits", "(not shown)");
  }
  for (size_t index = 0; index < keyOctets; ++index) {
    const char pair[3] = {text[2 * index], text[2 * index + 1], '\0'};
    options.identity.key[index] = static_cast<uint8_t>(strtoul(pair, nullptr, 16));
  }
  options.hasKey = true;
}

void parseListen(const char* text, Options& options) {
  const char* colon = strrchr(text, ':');
  char* end = nullptr;
  const unsigned long number = colon == nullptr ? 65536 : strtoul(colon + 1, &end, 10);
  const size_t hostLength = colon == nullptr ? 0 : static_cast<size_t>(colon - text);
  const bool isNumber = colon != nullptr && end != colon + 1 && *end == '\0' && number <= 65535;
  if (!isNumber || hostLength == 0 || hostLength >= sizeof options.host) complain("--listen needs HOST:PORT", text);
  memcpy(options.host, text, hostLength);
  options.host[hostLength] = '\0';
  options.port = static_cast<uint16_t>(number);
}

void parseState(const char* text, Options& options) {
  if (strlen(text) + sizeof ".new" > sizeof options.stateFile) complain("--state is too long", text);
  strcpy(options.stateFile, text);
}

}  // namespace

Options parseOptions(int count, char** arguments) {
  Options options;
  for (int index = 1; index < count; index += 2) {
    const char* name = arguments[index];
    if (index + 1 >= count) complain("an argument lacks its value", name);
    const char* value = arguments[index + 1];
    if (strcmp(name, "--uid") == 0) {
      parseUid(value, options);
    } else if (strcmp(name, "--key") == 0) {
      parseKey(value, options);
    } else if (strcmp(name, "--listen") == 0) {
      parseListen(value, options);
    } else if (strcmp(name, "--state") == 0) {
      parseState(value, options);
    } else if (strcmp(name, "--with-parent") == 0) {
      options.parent = atol(value);
    } else if (strcmp(name, "--inherited-socket") == 0) {
      options.inheritedSocket = atoi(value);
    } else {
      complain("unknown argument", name);
    }
  }
  const char* key = getenv("BASEUNIT_KEY");
  if (key != nullptr && !options.hasKey) parseKey(key, options);
  return options;
}

}  // namespace bu::native

#endif
