#pragma once

#include <stdint.h>

#include "../../bu_port.h"

namespace bu::native {

/** What the command line says. The key may come in the environment, as BASEUNIT_KEY, where others cannot see it. */
struct Options {
  Identity identity = {};
  bool hasUid = false;
  bool hasKey = false;
  char host[64] = "127.0.0.1";
  uint16_t port = 8888;
  /** Where the boot number is kept; empty: nowhere, every start is the first. */
  char stateFile[512] = "";
  /** The process this one belongs to: when its parent is another, it ends; 0: it belongs to none. */
  long parent = 0;
  /** A listening socket that the program before this one left open, when it restarts itself; -1: none. */
  int inheritedSocket = -1;
};

/** Exits with 2 and says why when an argument cannot be. */
Options parseOptions(int count, char** arguments);

}  // namespace bu::native
