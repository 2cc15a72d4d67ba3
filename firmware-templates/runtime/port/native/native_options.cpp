#if !defined(ARDUINO)

#include "native_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace bu::native {

namespace {

constexpr char resetReasonName[] = "--reset-reason";
constexpr char socketName[] = "--inherited-socket";
constexpr char serialName[] = "--inherited-serial";

[[noreturn]] void complain(const char* what, const char* value) {
  fprintf(stderr,
          "%s: %s\nusage: --uid NAME --key HEX32 (or BASEUNIT_KEY) [--listen HOST:PORT] [--dial HOST:PORT] "
          "[--serial PATH] [--state FILE] [--with-parent PID]\n",
          what, value);
  exit(2);
}

void parseUid(const char* text, Options& options) {
  if (!options.uid.set(text) || options.uid.length() == 0) complain("--uid needs 1 to 16 octets", text);
}

void parseKey(const char* text, Options& options) {
  const size_t digits = 2 * keyOctets;
  if (strlen(text) != digits || strspn(text, "0123456789abcdefABCDEF") != digits) {
    // The key itself is never repeated: this goes to a log.
    complain("--key needs 32 hexadecimal digits", "(not shown)");
  }
  for (size_t index = 0; index < keyOctets; ++index) {
    const char pair[3] = {text[2 * index], text[2 * index + 1], '\0'};
    options.key[index] = static_cast<uint8_t>(strtoul(pair, nullptr, 16));
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
  options.hasListen = true;
}

void parseDial(const char* text, Options& options) {
  BaseAddress address;
  if (!options.base.set(text) || !parseBaseAddress(text, address)) complain("--dial needs HOST:PORT", text);
}

template <size_t N>
void parsePath(const char* name, const char* text, char (&path)[N]) {
  if (strlen(text) >= N) complain(name, "this path is too long");
  strcpy(path, text);
}

void parseArgument(const char* name, const char* value, Options& options) {
  if (strcmp(name, "--uid") == 0) {
    parseUid(value, options);
  } else if (strcmp(name, "--key") == 0) {
    parseKey(value, options);
  } else if (strcmp(name, "--listen") == 0) {
    parseListen(value, options);
  } else if (strcmp(name, "--dial") == 0) {
    parseDial(value, options);
  } else if (strcmp(name, "--serial") == 0) {
    parsePath(name, value, options.serial);
  } else if (strcmp(name, "--state") == 0) {
    parsePath(name, value, options.stateFile);
  } else if (strcmp(name, "--with-parent") == 0) {
    options.parent = atol(value);
  } else if (strcmp(name, resetReasonName) == 0) {
    options.resetReason = static_cast<uint8_t>(atoi(value));
  } else if (strcmp(name, socketName) == 0) {
    options.inheritedSocket = atoi(value);
  } else if (strcmp(name, serialName) == 0) {
    options.inheritedSerial = atoi(value);
  } else {
    complain("unknown argument", name);
  }
}

bool isOfOnePredecessor(const char* name) {
  return strcmp(name, resetReasonName) == 0 || strcmp(name, socketName) == 0 || strcmp(name, serialName) == 0;
}

/** Null when there is no memory. */
char** put(char** to, const char* name, int value) {
  char text[12];
  snprintf(text, sizeof text, "%d", value);
  if (to == nullptr) return nullptr;
  to[0] = strdup(name);
  to[1] = strdup(text);
  return to[0] == nullptr || to[1] == nullptr ? nullptr : to + 2;
}

}  // namespace

Options parseOptions(int count, char** arguments) {
  Options options;
  for (int index = 1; index < count; index += 2) {
    const char* name = arguments[index];
    if (index + 1 >= count) complain("an argument lacks its value", name);
    parseArgument(name, arguments[index + 1], options);
  }
  const char* key = getenv("BASEUNIT_KEY");
  if (key != nullptr && !options.hasKey) parseKey(key, options);
  return options;
}

char** nextArguments(int count, char** arguments, const Options& next) {
  constexpr size_t added = 6;
  char** all = static_cast<char**>(calloc(static_cast<size_t>(count) + added + 1, sizeof(char*)));
  if (all == nullptr) return nullptr;
  char** to = all;
  *to++ = arguments[0];
  for (int index = 1; index + 1 < count; index += 2) {
    if (isOfOnePredecessor(arguments[index])) continue;
    *to++ = arguments[index];
    *to++ = arguments[index + 1];
  }
  to = put(to, resetReasonName, next.resetReason);
  to = put(to, socketName, next.inheritedSocket);
  to = put(to, serialName, next.inheritedSerial);
  return to == nullptr ? nullptr : all;
}

}  // namespace bu::native

#endif
