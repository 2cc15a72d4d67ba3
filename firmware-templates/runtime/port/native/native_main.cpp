#if !defined(ARDUINO)

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "native_options.h"
#include "native_sockets.h"

// The sketch as a program of this machine, for tests and for trying things out.
void setup();
void loop();

namespace bu {

namespace {

/** The longest pause between two loops, in ms: what a sketch's own timing may be late. */
constexpr int pauseMs = 10;

native::Options options;
int argumentCount;
char** argumentList;
volatile sig_atomic_t isStopping = 0;

void stop(int) { isStopping = 1; }

/** Whoever started this program is gone, and did not get to end it. */
bool isOrphan() { return options.parent != 0 && getppid() != options.parent; }

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

[[noreturn]] void giveUp(const char* what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

/** Temporary file, fsync, rename, fsync of the folder: what was there stays until the new is whole. */
bool replaceFile(const char* path, const char* text) {
  char temporary[sizeof options.stateFile + sizeof ".new"];
  snprintf(temporary, sizeof temporary, "%s.new", path);
  const int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return false;
  const ssize_t length = static_cast<ssize_t>(strlen(text));
  const bool isWritten = ::write(file, text, static_cast<size_t>(length)) == length && fsync(file) == 0;
  if (::close(file) != 0 || !isWritten || rename(temporary, path) != 0) return false;
  char folder[sizeof options.stateFile];
  snprintf(folder, sizeof folder, "%s", path);
  char* slash = strrchr(folder, '/');
  if (slash == nullptr) {
    strcpy(folder, ".");
  } else {
    slash[slash == folder ? 1 : 0] = '\0';
  }
  const int opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return false;
  const bool isDone = fsync(opened) == 0;
  ::close(opened);
  return isDone;
}

}  // namespace

namespace port {

void begin(bool needsKey) {
  if (needsKey && !(options.hasUid && options.hasKey)) {
    fprintf(stderr, "this unit proves who it is: it needs --uid NAME and --key HEX32 (or BASEUNIT_KEY)\n");
    exit(2);
  }
  native::listenOn(options);
}

void announce(const UnitDescription&) {}

void loop() {}

uint32_t millis() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint32_t>(static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000);
}

void random(uint8_t* to, size_t count) {
  for (size_t filled = 0; filled < count;) {
    const ssize_t taken = getrandom(to + filled, count - filled, 0);
    if (taken < 0 && errno != EINTR) giveUp("no random octets");
    if (taken > 0) filled += static_cast<size_t>(taken);
  }
}

const Identity& identity() { return options.identity; }

uint32_t storedBoot() {
  if (options.stateFile[0] == '\0') return 0;
  FILE* file = fopen(options.stateFile, "r");
  if (file == nullptr) return 0;
  unsigned long boot = 0;
  const bool isRead = fscanf(file, "%10lu", &boot) == 1;
  fclose(file);
  return isRead && boot <= UINT32_MAX ? static_cast<uint32_t>(boot) : 0;
}

bool storeBoot(uint32_t boot) {
  if (options.stateFile[0] == '\0') return true;
  char text[16];
  snprintf(text, sizeof text, "%lu\n", static_cast<unsigned long>(boot));
  return replaceFile(options.stateFile, text);
}

uint8_t resetReason() { return 0; }

void restart() {
  // The same program again in the same process, on the same listening socket: peers find it where it was.
  char socket[12];
  snprintf(socket, sizeof socket, "%d", native::listeningSocket());
  char** arguments = static_cast<char**>(calloc(static_cast<size_t>(argumentCount) + 3, sizeof(char*)));
  if (arguments == nullptr) giveUp("cannot restart");
  int count = 0;
  for (int index = 0; index < argumentCount; ++index) {
    const bool isOld = index > 0 && strcmp(argumentList[index], "--inherited-socket") == 0;
    if (isOld) {
      ++index;
    } else {
      arguments[count++] = argumentList[index];
    }
  }
  char name[] = "--inherited-socket";
  arguments[count++] = name;
  arguments[count++] = socket;
  // One that comes before the new program catches it would end it as if killed: it waits instead.
  holdSignals(true);
  execv("/proc/self/exe", arguments);
  giveUp("cannot restart");
}

void log(LogLevel level, const char* text) {
  static const char* const names[] = {"debug", "info", "warn", "error"};
  fprintf(stderr, "%s: %s\n", names[static_cast<uint8_t>(level) % 4], text);
}

}  // namespace port
}  // namespace bu

int main(int count, char** arguments) {
  bu::catchSignals();
  bu::argumentCount = count;
  bu::argumentList = arguments;
  bu::options = bu::native::parseOptions(count, arguments);
  setup();
  while (bu::isStopping == 0 && !bu::isOrphan()) {
    loop();
    bu::native::waitForSockets(bu::pauseMs);
  }
  return 0;
}

#endif
