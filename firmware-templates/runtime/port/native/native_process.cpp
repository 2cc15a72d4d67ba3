#if !defined(ARDUINO)

#include "native_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace bu::native {

namespace {

Options options;
int argumentCount;
char** argumentList;
volatile sig_atomic_t isStopping = 0;

void stop(int) { isStopping = 1; }

/** Holds SIGTERM and SIGINT back, or lets them through, held ones first. */
void holdSignals(bool isHeld) {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  sigprocmask(isHeld ? SIG_BLOCK : SIG_UNBLOCK, &ending, nullptr);
}

void catchSignals() {
  signal(SIGPIPE, SIG_IGN);
  struct sigaction action = {};
  action.sa_handler = stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  holdSignals(false);
}

void keepOpen(int descriptor) {
  if (descriptor >= 0) fcntl(descriptor, F_SETFD, 0);
}

}  // namespace

void giveUp(const char* what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

const Options& beginProcess(int count, char** arguments) {
  catchSignals();
  argumentCount = count;
  argumentList = arguments;
  options = parseOptions(count, arguments);
  return options;
}

bool isEnding() { return isStopping != 0 || (options.parent != 0 && getppid() != options.parent); }

void startAnew(uint8_t resetReason, int listeningSocket, int serialLine) {
  options.resetReason = resetReason;
  options.inheritedSocket = listeningSocket;
  options.inheritedSerial = serialLine;
  keepOpen(listeningSocket);
  keepOpen(serialLine);
  char** arguments = nextArguments(argumentCount, argumentList, options);
  if (arguments == nullptr) giveUp("cannot restart");
  // One that comes before the new program catches it would end it as if killed: it waits instead.
  holdSignals(true);
  execv("/proc/self/exe", arguments);
  giveUp("cannot restart");
}

}  // namespace bu::native

#endif
