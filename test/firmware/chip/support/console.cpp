// stdin and stdout of the C library are those of the emulator.
#include <stdio.h>
#include <stdlib.h>

#include "simcall.h"

extern FILE* const stdin;
extern FILE* const stdout;
extern FILE* const stderr;

namespace {

constexpr int exitCall = 1;
constexpr int readCall = 3;
constexpr int writeCall = 4;
/** As a shell has it: 128 and the signal's number. */
constexpr int abortStatus = 134;

char written[256];
int filled = 0;

int flush(FILE*) {
  for (int at = 0; at < filled;) {
    const int count = simcall(writeCall, 1, reinterpret_cast<int>(written + at), filled - at);
    if (count <= 0) break;
    at += count;
  }
  filled = 0;
  return 0;
}

int put(char octet, FILE* file) {
  written[filled++] = octet;
  return filled == sizeof written ? flush(file) : 0;
}

int get(FILE*) {
  static unsigned char arrived[256];
  static int count = 0;
  static int at = 0;
  if (at == count) {
    at = 0;
    count = simcall(readCall, 0, reinterpret_cast<int>(arrived), sizeof arrived);
    if (count <= 0) {
      count = 0;
      return EOF;
    }
  }
  return arrived[at++];
}

FILE console = FDEV_SETUP_STREAM(put, get, flush, _FDEV_SETUP_RW);

}  // namespace

FILE* const stdin = &console;
FILE* const stdout = &console;
FILE* const stderr = &console;

extern "C" {

void _exit(int status) {
  flush(nullptr);
  simcall(exitCall, status, 0, 0);
  for (;;) continue;
}

void abort() { _exit(abortStatus); }

}  // extern "C"
