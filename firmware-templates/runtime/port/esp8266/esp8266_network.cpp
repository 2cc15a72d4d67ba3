#if defined(ARDUINO_ARCH_ESP8266)

#include "esp8266_network.h"

#include <Arduino.h>
#include <ESP8266WiFi.h>

#include "../../bu_base_dialler.h"
#include "../../bu_settings.h"
#include "esp8266_serial.h"

namespace bu::esp8266 {

namespace {

/** How long a name may take, and then the connection: the core waits for each, and lets the Wi-Fi work meanwhile. */
constexpr unsigned long dialMs = 3'000;

struct Slot {
  WiFiClient client;
  bool isOpen = false;
  /** We dialled. */
  bool isOurs = false;
  /** What the send buffer takes when nothing is under way. */
  int wholeBuffer = 0;
};

enum class Serving : uint8_t { nobody, listening, dialling };

WiFiServer server(listenPort);
Slot connections[networkSlots];
Serving serving = Serving::nobody;
BaseDialler dialler;
BaseAddress base;
/** The base took our connection, which is not accepted yet. */
WiFiClient dialled;
bool isDialled = false;
/** That nobody is there is said once. */
bool isAbsenceKnown = false;

Slot* freeSlot() {
  for (Slot& connection : connections) {
    if (!connection.isOpen) return &connection;
  }
  return nullptr;
}

void dial(uint32_t now) {
  dialler.dialling(now);
  // The one call of this port that waits: the core has no other way to dial. Nobody is served meanwhile: a unit that
  // dials does not listen, and `mayDial` is about the serial line.
  dialled.setTimeout(dialMs);
  isDialled = dialled.connect(base.host, base.port) != 0;
  if (isDialled) {
    isAbsenceKnown = false;
    return dialler.connected();
  }
  dialler.ended(port::Ending::done, ESP.random(), static_cast<uint32_t>(millis()));
  static const char absent[] BU_FLASH = "nobody answers at the address of the base; said once";
  if (!isAbsenceKnown) logFlash(LogLevel::warn, flashText(absent));
  isAbsenceKnown = true;
}

void stopServing() {
  if (serving == Serving::listening) server.stop();
  for (Slot& connection : connections) connection.client = WiFiClient();
  if (isDialled) dialler.ended(port::Ending::done, 0, 0);
  dialled = WiFiClient();
  isDialled = false;
  isAbsenceKnown = false;
  serving = Serving::nobody;
}

}  // namespace

void serveNetwork(const char* baseAddress, uint32_t sleepMs) {
  stopServing();
  if (baseAddress[0] != '\0') {
    // It was looked at before it was stored.
    if (!parseBaseAddress(baseAddress, base)) return;
    serving = Serving::dialling;
    dialler.begin(sleepMs);
    dialler.hurry();
    return;
  }
  serving = Serving::listening;
  server.setNoDelay(true);
  server.begin();
}

bool isListening() { return serving == Serving::listening; }

void loopNetwork(uint32_t now, bool mayDial) {
  if (serving == Serving::dialling && mayDial && dialler.isDue(now)) dial(now);
}

void networkIsBack() { dialler.hurry(); }

bool isNetworkWaiting() {
  return freeSlot() != nullptr && (isDialled || (serving == Serving::listening && server.hasClient()));
}

uint8_t acceptNetwork() {
  Slot* const connection = freeSlot();
  if (connection == nullptr) return port::noSlot;
  connection->isOurs = isDialled;
  connection->client = isDialled ? dialled : server.accept();
  dialled = WiFiClient();
  isDialled = false;
  connection->isOpen = connection->client.connected() != 0;
  if (!connection->isOpen) {
    if (connection->isOurs) dialler.ended(port::Ending::done, ESP.random(), static_cast<uint32_t>(millis()));
    return port::noSlot;
  }
  connection->client.setNoDelay(true);
  // The second line of defence against peers that vanish; the session's own pings are the first.
  connection->client.keepAlive(30, 10, 3);
  // Only room that is there is written to; this bounds the wait when lwIP is out of memory all the same.
  connection->client.setTimeout(1);
  connection->wholeBuffer = connection->client.availableForWrite();
  return static_cast<uint8_t>(connection - connections);
}

void networkWelcomed(uint8_t slot) {
  if (connections[slot].isOurs) dialler.welcomed();
}

int readNetwork(uint8_t slot, uint8_t* to, size_t capacity) {
  Slot& connection = connections[slot];
  if (!connection.isOpen) return port::lost;
  const int available = connection.client.available();
  if (available <= 0) return connection.client.connected() != 0 ? 0 : port::lost;
  const size_t count = static_cast<size_t>(available) < capacity ? static_cast<size_t>(available) : capacity;
  const int taken = connection.client.read(to, count);
  return taken < 0 ? 0 : taken;
}

int writeNetwork(uint8_t slot, const uint8_t* from, size_t count) {
  Slot& connection = connections[slot];
  if (!connection.isOpen || connection.client.status() == 0) return port::lost;
  const int room = connection.client.availableForWrite();
  if (room <= 0) return 0;
  const size_t fitting = static_cast<size_t>(room) < count ? static_cast<size_t>(room) : count;
  return static_cast<int>(connection.client.write(from, fitting));
}

bool isNetworkUnacknowledged(uint8_t slot) {
  Slot& connection = connections[slot];
  return connection.isOpen && connection.client.availableForWrite() < connection.wholeBuffer;
}

void closeNetwork(uint8_t slot, port::Ending ending) {
  Slot& connection = connections[slot];
  if (connection.isOurs) dialler.ended(ending, ESP.random(), static_cast<uint32_t>(millis()));
  // Not stop(), which waits up to 300 ms: when the last reference goes, lwIP sends what is left and closes in order.
  connection.client = WiFiClient();
  connection.isOpen = false;
  connection.isOurs = false;
}

}  // namespace bu::esp8266

#endif
