#if !defined(ARDUINO)

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "native_dial.h"
#include "native_poll.h"
#include "native_process.h"
#include "native_serial.h"
#include "native_sockets.h"
#include "native_state.h"

// The sketch as a program of this machine, for tests and for trying things out.
void setup();
void loop();

namespace bu {

namespace {

/** The longest pause between two loops, in ms: what a sketch's own timing may be late. */
constexpr int pauseMs = 10;
/** While it sleeps the program looks this often whether it should end. */
constexpr uint32_t napMs = 100;
/** Why a program starts, as the ESP8266 numbers it. */
constexpr uint8_t resetByPower = 0;
constexpr uint8_t resetBySoftware = 4;
constexpr uint8_t resetByWaking = 5;

const native::Options* options = nullptr;
const UnitDescription* unit = nullptr;
Settings settings;
Identity ours;
/** A base is served over this slot. */
bool isServed[port::slots];

/** A unit of typed messages serves nobody while it has no key. */
bool mayServe() { return unit->dispatch == nullptr || (settings.uid.length() > 0 && settings.hasKey); }

/** Serves with the settings there are. */
void serve() {
  ours = identityOf(settings);
  if (!mayServe()) return;
  const bool dials = settings.base.length() > 0;
  native::dial::begin(settings.base, unit->sleepMs);
  if (dials && options->resetReason == resetByPower) {
    printf("dialling %s\n", settings.base.c_str());
    fflush(stdout);
  }
  if (options->hasListen || (!dials && native::serial::descriptor() < 0)) native::sockets::listenOn(*options);
}

void identityChanged() {
  // Not closed: their slots are the sketch's until it has noticed.
  for (uint8_t slot = 0; slot < native::sockets::slots; ++slot) native::sockets::drop(slot);
  native::serial::drop();
  serve();
}

bool isNetworkWaiting() { return native::dial::isWaiting() || native::sockets::isWaiting(); }

bool isSerialWaiting() {
  if (!mayServe()) return false;
  bool isServedElsewhere = false;
  for (const bool each : isServed) isServedElsewhere = isServedElsewhere || each;
  return native::serial::isWaiting(isServedElsewhere);
}

}  // namespace

namespace port {

void begin(const UnitDescription& description) {
  unit = &description;
  native::openState(*options);
  native::readSettings(settings);
  native::serial::begin(*options, description, settings, identityChanged);
  if (!mayServe() && native::serial::descriptor() < 0) {
    fprintf(stderr, "this unit proves who it is: it needs --uid NAME and --key HEX32 (or BASEUNIT_KEY), or --serial PATH "
                    "and --state FILE to be provisioned\n");
    exit(2);
  }
  serve();
}

void loop() {
  native::dial::loop();
  native::serial::loop(isNetworkWaiting());
}

uint32_t millis() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint32_t>(static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000);
}

void random(uint8_t* to, size_t count) {
  for (size_t filled = 0; filled < count;) {
    const ssize_t taken = getrandom(to + filled, count - filled, 0);
    if (taken < 0 && errno != EINTR) native::giveUp("no random octets");
    if (taken > 0) filled += static_cast<size_t>(taken);
  }
}

const Identity& identity() { return ours; }

uint8_t resetReason() { return options->resetReason; }

uint32_t freeHeap() { return 0; }

void restart() {
  native::startAnew(resetBySoftware, native::sockets::listeningSocket(), native::serial::descriptor());
}

void sleep(uint32_t ms) {
  for (uint8_t slot = 0; slot < native::sockets::slots; ++slot) native::sockets::close(slot);
  for (uint32_t left = ms; left > 0;) {
    const uint32_t nap = left < napMs ? left : napMs;
    const timespec pause = {0, static_cast<long>(nap) * 1'000'000};
    nanosleep(&pause, nullptr);
    if (native::isEnding()) exit(0);
    left -= nap;
  }
  native::startAnew(resetByWaking, native::sockets::listeningSocket(), native::serial::descriptor());
}

bool isWaiting() { return isNetworkWaiting() || isSerialWaiting(); }

uint8_t accept() {
  if (native::dial::isWaiting()) {
    const uint8_t slot = native::sockets::adopt(native::dial::takeConnection());
    native::dial::tookSlot(slot);
    return slot;
  }
  const int socket = native::sockets::acceptNext();
  if (socket >= 0) return native::sockets::adopt(socket);
  if (!isSerialWaiting()) return noSlot;
  native::serial::open();
  return native::serial::slot;
}

void welcomed(uint8_t slot) {
  isServed[slot] = true;
  native::dial::welcomed(slot);
  if (slot == native::serial::slot) native::serial::served();
}

int read(uint8_t slot, uint8_t* to, size_t capacity) {
  return slot == native::serial::slot ? native::serial::read(to, capacity) : native::sockets::read(slot, to, capacity);
}

int write(uint8_t slot, const uint8_t* from, size_t count) {
  return slot == native::serial::slot ? native::serial::write(from, count) : native::sockets::write(slot, from, count);
}

bool isUnacknowledged(uint8_t slot) {
  return slot == native::serial::slot ? native::serial::isUnacknowledged() : native::sockets::isUnacknowledged(slot);
}

void close(uint8_t slot, Ending ending) {
  isServed[slot] = false;
  if (slot == native::serial::slot) return native::serial::close();
  native::sockets::close(slot);
  native::dial::closed(slot, ending);
}

void log(LogLevel level, const char* text) {
  static const char* const names[] = {"debug", "info", "warn", "error"};
  fprintf(stderr, "%s: %s\n", names[static_cast<uint8_t>(level) % 4], text);
}

}  // namespace port
}  // namespace bu

int main(int count, char** arguments) {
  bu::options = &bu::native::beginProcess(count, arguments);
  setup();
  while (!bu::native::isEnding()) {
    loop();
    bu::native::poll::wait(bu::pauseMs);
  }
  return 0;
}

#endif
