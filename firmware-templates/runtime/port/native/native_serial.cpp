#if !defined(ARDUINO)

#include "native_serial.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "../../bu_provisioning.h"
#include "native_poll.h"
#include "native_process.h"
#include "native_state.h"

namespace bu::native::serial {

namespace {

/** The name of a Wi-Fi that this machine does not find; every other one is joined at once. */
constexpr char wifiNowhere[] = "nowhere";
constexpr uint8_t resetPowerOn = 0;

int line = -1;
bool isTyped = false;
bool isRawOpen = false;
const Settings* joining = nullptr;

void hangUp() {
  port::log(LogLevel::warn, "the serial line is gone");
  ::close(line);
  line = -1;
}

size_t readLine(uint8_t* to, size_t capacity) {
  if (line < 0) return 0;
  poll::want(line, POLLIN);
  const ssize_t count = ::read(line, to, capacity);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (count <= 0) {
    hangUp();
    return 0;
  }
  poll::moved();
  return static_cast<size_t>(count);
}

size_t writeLine(const uint8_t* from, size_t count) {
  // A UART sends whether anybody listens or not.
  if (line < 0) return count;
  const ssize_t taken = ::write(line, from, count);
  const size_t written = taken < 0 ? 0 : static_cast<size_t>(taken);
  if (written < count) poll::want(line, POLLOUT);
  if (written > 0) poll::moved();
  return written;
}

constexpr Uart uart = {readLine, writeLine};
SerialLine framed(uart);

void joinWifi(const Settings& settings) { joining = &settings; }

WifiState wifiState() {
  return joining->wifiName == wifiNowhere ? WifiState::refused : WifiState::joined;
}

Provisioning* provisioning = nullptr;

void makeRaw(const char* path) {
  termios mode = {};
  if (tcgetattr(line, &mode) != 0) giveUp(path);
  cfmakeraw(&mode);
  mode.c_cflag |= CLOCAL | CREAD;
  cfsetspeed(&mode, B115200);
  if (tcsetattr(line, TCSANOW, &mode) != 0) giveUp(path);
}

}  // namespace

void begin(const Options& options, const UnitDescription& description, Settings& settings, void (*identityChanged)()) {
  if (options.serial[0] == '\0') return;
  line = options.inheritedSerial;
  if (line < 0) {
    line = ::open(options.serial, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (line < 0) giveUp(options.serial);
    makeRaw(options.serial);
    printf("serial %s\n", options.serial);
    fflush(stdout);
  }
  isTyped = description.dispatch != nullptr;
  if (!isTyped) return;
  static const char chip[] = "native";
  static const ProvisioningHooks ours = {joinWifi, wifiState, readSettings, storeSettings, identityChanged};
  static Provisioning made(framed, settings, ours, flashText(chip));
  provisioning = &made;
  made.begin(description, options.resetReason == resetPowerOn, port::millis());
}

int descriptor() { return line; }

void loop(bool isWanted) {
  if (provisioning == nullptr) return;
  const uint32_t now = port::millis();
  framed.loop(now);
  provisioning->loop(now);
  if (isWanted) framed.giveWay();
}

bool isWaiting(bool isServedElsewhere) {
  return isTyped ? framed.isWaiting(isServedElsewhere) : line >= 0 && !isRawOpen;
}

void open() {
  framed.open();
  isRawOpen = true;
}

int read(uint8_t* to, size_t capacity) {
  return isTyped ? framed.read(to, capacity) : line < 0 ? port::lost : static_cast<int>(readLine(to, capacity));
}

int write(const uint8_t* from, size_t count) {
  return isTyped ? framed.write(from, count) : line < 0 ? port::lost : static_cast<int>(writeLine(from, count));
}

bool isUnacknowledged() { return isTyped && framed.isUnacknowledged(); }

void close() {
  framed.close();
  isRawOpen = false;
}

void drop() { framed.drop(); }

void served() { framed.served(); }

}  // namespace bu::native::serial

#endif
