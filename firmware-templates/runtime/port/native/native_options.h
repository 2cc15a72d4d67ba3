#pragma once

#include <stdint.h>

#include "../../bu_settings.h"

namespace bu::native {

/** What the command line says. The key may come in the environment, as BASEUNIT_KEY, where others cannot see it. */
struct Options {
  /** Win over what the state file says. */
  Text<uidOctets> uid;
  uint8_t key[keyOctets] = {};
  bool hasKey = false;
  /** Listening was asked for; else the program listens when there is no other way to its base. */
  bool hasListen = false;
  char host[64] = "127.0.0.1";
  uint16_t port = 8888;
  /** The base's address, which the program dials; empty: what the state file says. */
  Text<maxBaseAddress> base;
  /** A terminal or pseudo-terminal that stands for the serial line; empty: none. */
  char serial[256] = "";
  /** The two sectors of flash, as a file; empty: they are lost at the end, every start is the first. */
  char stateFile[512] = "";
  /** The process this one belongs to: when its parent is another, it ends; 0: it belongs to none. */
  long parent = 0;
  /** Why this program starts, when one before it in the same process ended for that; 0: it is the first. */
  uint8_t resetReason = 0;
  /** What the program before this one left open; -1: nothing. */
  int inheritedSocket = -1;
  int inheritedSerial = -1;
};

/** Exits with 2 and says why when an argument cannot be. */
Options parseOptions(int count, char** arguments);

/** The arguments with which the next program in this process starts; null: no memory. */
char** nextArguments(int count, char** arguments, const Options& next);

}  // namespace bu::native
