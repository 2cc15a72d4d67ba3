#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

// A port whose clock, peers, random octets and memory are what the test says.
namespace scripted {

struct Connection {
  std::string inbound;
  bool isEnded = false;
  bool isBroken = false;
  /** Octets that the peer still takes; below 0: all. */
  long room = -1;
  bool isUnacknowledged = false;
};

struct World {
  uint32_t millis = 0;
  uint32_t storedBoot = 0;
  bool canStore = true;
  bool canAccept = true;
  /** The most octets that one read gives. */
  size_t chunk = 4096;
  /** The most octets that one write takes. */
  size_t piece = 4096;
  std::string random;
  std::map<int, Connection> connections;
  std::deque<int> waiting;
  int slots[3] = {-1, -1, -1};
  uint32_t freeHeap = 40000;
  /** What happened since it was last told, in order: `out 0 hex`, `closed 0`, … */
  std::vector<std::string> events;
};

extern World world;

void happened(const std::string& what);
std::string toHex(const std::string& octets);
std::string fromHex(const std::string& digits);

}  // namespace scripted
