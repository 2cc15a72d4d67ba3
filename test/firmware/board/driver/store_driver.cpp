// Two sectors of flash whose power goes after as many octets as the test says.
#include <bu_state_store.h>

#include <cstring>

#include "board_driver.h"

namespace {

uint8_t flashOctets[2][bu::sectorOctets];
uint8_t kept[2][bu::sectorOctets];
int erasures[2] = {0, 0};
/** Octets that are still written or erased before power goes; below 0: all. */
long budget = -1;
/** Octets are erased from the sector's end. */
bool erasesBackwards = false;
/** Somebody tried to turn a 0 into a 1 by writing. */
bool wroteOverZeros = false;
/** Octets that no longer hold what is written. */
bool isWornOut = false;

bool hasPower() {
  if (budget == 0) return false;
  if (budget > 0) --budget;
  return true;
}

bool readFlash(uint8_t sector, uint32_t offset, uint32_t* to, size_t octets) {
  std::memcpy(to, flashOctets[sector] + offset, octets);
  return offset % 4 == 0 && octets % 4 == 0 && offset + octets <= bu::sectorOctets;
}

bool writeFlash(uint8_t sector, uint32_t offset, const uint32_t* from, size_t octets) {
  for (size_t at = 0; at < octets; ++at) {
    if (!hasPower()) return false;
    uint8_t& place = flashOctets[sector][offset + at];
    const uint8_t wanted = reinterpret_cast<const uint8_t*>(from)[at];
    if ((wanted & ~place) != 0) wroteOverZeros = true;
    place = isWornOut ? 0 : place & wanted;
  }
  return offset % 4 == 0 && octets % 4 == 0;
}

bool eraseFlash(uint8_t sector) {
  ++erasures[sector];
  for (size_t at = 0; at < bu::sectorOctets; ++at) {
    if (!hasPower()) return false;
    flashOctets[sector][erasesBackwards ? bu::sectorOctets - 1 - at : at] = 0xff;
  }
  return true;
}

constexpr bu::Flash flash = {readFlash, writeFlash, eraseFlash};
constexpr bu::StateStore stateStore(flash);

bu::Settings settingsNamed(const std::string& name) {
  bu::Settings settings;
  settings.uid = name.c_str();
  settings.hasKey = !name.empty();
  std::memset(settings.key, static_cast<int>(name.size()), sizeof settings.key);
  settings.wifiName = ("wifi of " + name).c_str();
  settings.wifiPassword = "correct horse";
  settings.base = "base.local:8888";
  return settings;
}

/** The name that the settings were made of, `-` for none at all; `mixed` when they are of no name. */
std::string readName() {
  bu::Settings settings;
  stateStore.readSettings(settings);
  if (settings.uid.length() == 0) return settings.hasKey || settings.wifiName.length() > 0 ? "mixed" : "-";
  const bu::Settings wanted = settingsNamed(settings.uid.c_str());
  const bool isWhole = settings.hasKey && std::memcmp(settings.key, wanted.key, sizeof wanted.key) == 0 &&
                       settings.wifiName == wanted.wifiName.c_str() && settings.wifiPassword == "correct horse" &&
                       settings.base == "base.local:8888";
  return isWhole ? settings.uid.c_str() : "mixed";
}

bool change(const std::string& what, std::istringstream& line) {
  std::string name;
  uint32_t boot = 0;
  if (what == "boot") {
    line >> boot;
    return stateStore.storeBoot(boot);
  }
  line >> name;
  return stateStore.storeSettings(settingsNamed(name));
}

}  // namespace

std::string store(std::istringstream& line) {
  std::string command;
  int number = 0;
  line >> command;
  if (command == "new") {
    line >> number;
    std::memset(flashOctets, number, sizeof flashOctets);
    erasures[0] = erasures[1] = 0;
    budget = -1;
    erasesBackwards = wroteOverZeros = isWornOut = false;
  } else if (command == "backwards") {
    erasesBackwards = true;
  } else if (command == "worn-out") {
    isWornOut = true;
  } else if (command == "power-for") {
    line >> budget;
  } else if (command == "keep") {
    std::memcpy(kept, flashOctets, sizeof kept);
  } else if (command == "cut") {
    // From what was kept: power for so many octets of a change, then what is there once it is back.
    long octets = 0;
    std::string what;
    line >> octets >> what;
    std::memcpy(flashOctets, kept, sizeof kept);
    budget = octets;
    const bool isDone = change(what, line);
    budget = -1;
    return readName() + " " + std::to_string(stateStore.lastBoot()) + (isDone ? " done" : " cut");
  } else if (command == "boot" || command == "settings") {
    return change(command, line) ? "stored" : "failed";
  } else if (command == "flip") {
    size_t sector = 0, offset = 0;
    line >> sector >> offset;
    flashOctets[sector][offset] ^= 1;
  }
  return readName() + " " + std::to_string(stateStore.lastBoot()) + " " + std::to_string(erasures[0]) + "+" +
         std::to_string(erasures[1]) + (wroteOverZeros ? " wrote over zeros" : "");
}
