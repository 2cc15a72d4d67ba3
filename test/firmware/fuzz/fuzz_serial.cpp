// The serial line of a unit, and provisioning over it, under whatever comes through a cable. Input: steps, each an octet that
// says which and what it needs (`step` below). What must hold: no read gives more than was asked for, a UID has at most 16
// octets and texts end where they should, a key once set is changed only while that is allowed, no sanitizer complains.
#include <baseunit.h>
#include <stdlib.h>
#include <string.h>

#include "bu_provisioning.h"
#include "bu_serial_line.h"

namespace {

void insist(bool isTrue) {
  if (!isTrue) abort();
}

constexpr size_t cableOctets = 1024;

uint8_t arrived[cableOctets];
size_t arrivedCount = 0;
/** Octets that the UART still takes. */
size_t room = 0;
uint32_t now = 0;
bu::WifiState wifi = bu::WifiState::joining;
bu::Settings stored;
bool canStore = true;

size_t readUart(uint8_t* to, size_t capacity) {
  const size_t count = arrivedCount < capacity ? arrivedCount : capacity;
  memcpy(to, arrived, count);
  arrivedCount -= count;
  memmove(arrived, arrived + count, arrivedCount);
  return count;
}
size_t writeUart(const uint8_t*, size_t count) {
  const size_t taken = count < room ? count : room;
  room -= taken;
  return taken;
}

constexpr bu::Uart uart = {readUart, writeUart};

constexpr bu::ProvisioningHooks hooks = {
    [](const bu::Settings&) {},
    [] { return wifi; },
    [](bu::Settings& to) { to = stored; },
    [](const bu::Settings& settings) {
      if (canStore) stored = settings;
      return canStore;
    },
    [] {},
};

void arrive(const uint8_t* octets, size_t count) {
  if (arrivedCount + count > cableOctets) return;
  memcpy(arrived + arrivedCount, octets, count);
  arrivedCount += count;
}

bu::Dispatch noDispatch = [](uint8_t, bu::Reader&, bu::Writer&) { return bu::Answer::ok(); };
const char nameText[] = "rain-barrel";
const char versionText[] = "1.0.0";
const uint8_t fingerprint[bu::fingerprintOctets] = {};

}  // namespace

namespace bu::port {

uint32_t millis() { return now; }
void log(LogLevel, const char*) {}
void random(uint8_t* to, size_t count) { memset(to, 7, count); }
const Identity& identity() {
  static const Identity identity = {};
  return identity;
}

}  // namespace bu::port

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  arrivedCount = 0;
  room = cableOctets;
  now = 0;
  stored = bu::Settings();
  canStore = true;
  wifi = bu::WifiState::joining;
  bu::Settings settings;
  bu::SerialLine line(uart);
  bu::Provisioning provisioning(line, settings, hooks, bu::flashText("fuzz"));
  const bu::UnitDescription description = {bu::flashText(nameText), bu::flashText(versionText), bu::UnitKind::read,
                                           bu::flashText(nameText), fingerprint,                noDispatch,
                                           nullptr,                 0};
  provisioning.begin(description, true, now);
  bool isClosed = false;
  const uint8_t* const end = data + size;
  while (data < end) {
    const uint8_t what = *data++;
    const size_t left = static_cast<size_t>(end - data);
    size_t count = left == 0 ? 0 : *data;
    if (left > 0) ++data;
    const bool takesOctets = what % 8 < 3;
    if (takesOctets && count > static_cast<size_t>(end - data)) count = static_cast<size_t>(end - data);
    const uint8_t* const octets = data;
    if (takesOctets) data += count;
    switch (what % 8) {
      case 0:
        arrive(octets, count);
        break;
      case 1: {
        // A right frame, of at most what a frame may have.
        if (count > bu::maxChunkOctets) count = bu::maxChunkOctets;
        uint8_t frame[bu::frameOctetsFor(bu::maxChunkOctets)];
        arrive(frame, bu::encodeFrame(octets, count, frame));
        break;
      }
      case 2: {
        // A right packet, of any type and data.
        uint8_t packet[bu::improv::aroundOctets + 256];
        bu::improv::Builder builder(packet, static_cast<bu::improv::Type>(what >> 4));
        builder.put(octets, count);
        arrive(packet, builder.finish());
        break;
      }
      case 3:
        now += static_cast<uint32_t>(count) << (what >> 4);
        break;
      case 4:
        room = count;
        break;
      case 5:
        wifi = static_cast<bu::WifiState>(count % 3);
        canStore = count % 5 != 0;
        break;
      case 6: {
        if (line.isWaiting(count % 2 == 0)) line.open();
        uint8_t got[300];
        const size_t wanted = count < sizeof got ? count : sizeof got;
        insist(line.read(got, wanted) <= static_cast<int>(wanted));
        insist(line.write(got, wanted) <= static_cast<int>(wanted));
        break;
      }
      default:
        if (count % 4 == 0) line.served();
        if (count % 4 == 1) line.close();
        if (count % 4 == 2) line.giveWay();
        if (count % 4 == 3) line.beginText();
    }
    const bu::Settings before = settings;
    line.loop(now);
    provisioning.loop(now);
    if (now >= bu::Provisioning::openMs) isClosed = true;
    const bool isSame = settings.hasKey && memcmp(settings.key, before.key, sizeof before.key) == 0;
    insist(!before.hasKey || !isClosed || isSame);
    insist(settings.uid.length() <= bu::uidOctets && !settings.uid.isTooLong());
  }
  return 0;
}
