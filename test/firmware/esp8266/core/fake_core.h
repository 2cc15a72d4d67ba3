#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

// The ESP8266's Arduino core as far as the port uses it: clock, UART, Wi-Fi, TCP, mDNS, flash are what the test says.
namespace fake {

struct Connection {
  std::string inbound;
  bool isEnded = false;
};

struct World {
  uint32_t millis = 0;
  uint32_t resetReason = 0;
  /** The number that every roll of the dice gives. */
  uint32_t roll = 0;
  /** What the UART has received. */
  std::deque<uint8_t> uart;
  int wifiStatus = 7;
  bool isListening = false;
  std::map<int, Connection> connections;
  /** Who has dialled, and waits to be accepted. */
  std::deque<int> pending;
  /** Who takes the connection that the unit dials next; -1: nobody. */
  int answers = -1;
  /** The two sectors, kept in this file while the chip is without power. */
  std::string flash;
  std::string flashFile;
  /** What happened since it was last told, in order. */
  std::vector<std::string> events;
};

extern World world;

void happened(const std::string& what);
std::string toHex(const std::string& octets);
std::string fromHex(const std::string& digits);

}  // namespace fake
