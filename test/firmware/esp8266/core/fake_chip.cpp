#include <Arduino.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "fake_core.h"

namespace fake {

World world;

void happened(const std::string& what) { world.events.push_back(what); }

std::string toHex(const std::string& octets) {
  static const char digits[] = "0123456789abcdef";
  std::string hex;
  for (const char octet : octets) {
    hex += digits[static_cast<uint8_t>(octet) >> 4];
    hex += digits[static_cast<uint8_t>(octet) & 15];
  }
  return hex;
}

std::string fromHex(const std::string& digits) {
  std::string octets;
  for (size_t at = 0; at + 1 < digits.size(); at += 2) {
    octets += static_cast<char>(std::strtoul(digits.substr(at, 2).c_str(), nullptr, 16));
  }
  return octets;
}

namespace {

constexpr uint32_t sectorOctets = 4096;
/** Of the offsets into flash that eagle.flash.4m2m.ld gives: the sector before the EEPROM's. */
constexpr uint32_t firstOffset = 0x1fb000 + 0x200000 - sectorOctets;

/** Where it is in the file; past its end: another part of the flash, where nothing of ours may be. */
size_t placeOf(uint32_t address, size_t size) {
  if (address < firstOffset || address + size > firstOffset + world.flash.size() || address % 4 != 0 || size % 4 != 0) {
    std::abort();
  }
  return address - firstOffset;
}

void keep() { std::ofstream(world.flashFile, std::ios::binary) << world.flash; }

}  // namespace
}  // namespace fake

using fake::happened;
using fake::world;

HardwareSerial Serial;
EspClass ESP;

unsigned long millis() { return world.millis; }

size_t Print::write(const uint8_t* octets, size_t count) {
  for (size_t index = 0; index < count; ++index) write(octets[index]);
  return count;
}
size_t Print::write(const char* text) { return write(reinterpret_cast<const uint8_t*>(text), std::strlen(text)); }
int Print::availableForWrite() { return 0; }
void Stream::setTimeout(unsigned long) {}

void HardwareSerial::begin(unsigned long baud) { happened("baud " + std::to_string(baud)); }
size_t HardwareSerial::setRxBufferSize(size_t size) { return size; }
int HardwareSerial::available() { return static_cast<int>(world.uart.size()); }
int HardwareSerial::read() {
  if (world.uart.empty()) return -1;
  const uint8_t octet = world.uart.front();
  world.uart.pop_front();
  return octet;
}
int HardwareSerial::availableForWrite() { return 128; }
size_t HardwareSerial::write(uint8_t octet) {
  happened("uart " + fake::toHex(std::string(1, static_cast<char>(octet))));
  return 1;
}

void EspClass::restart() { happened("restart"); }
void EspClass::deepSleep(uint64_t microseconds) { happened("sleep " + std::to_string(microseconds)); }
uint64_t EspClass::deepSleepMax() { return 12'000'000'000; }
uint32_t EspClass::getFreeHeap() { return 40'000; }
uint32_t EspClass::random() { return world.roll; }
uint8_t* EspClass::random(uint8_t* octets, const size_t count) {
  for (size_t index = 0; index < count; ++index) octets[index] = static_cast<uint8_t>(index * 7 + 1);
  return octets;
}
rst_info* EspClass::getResetInfoPtr() {
  static rst_info info;
  info.reason = world.resetReason;
  return &info;
}

bool EspClass::flashRead(uint32_t address, uint32_t* data, size_t size) {
  std::memcpy(data, world.flash.data() + fake::placeOf(address, size), size);
  return true;
}

/** Bits go from 1 to 0 only. */
bool EspClass::flashWrite(uint32_t address, const uint32_t* data, size_t size) {
  char* const to = &world.flash[fake::placeOf(address, size)];
  const char* const from = reinterpret_cast<const char*>(data);
  for (size_t index = 0; index < size; ++index) to[index] = static_cast<char>(to[index] & from[index]);
  fake::keep();
  return true;
}

bool EspClass::flashEraseSector(uint32_t sector) {
  const size_t at = fake::placeOf(sector * fake::sectorOctets, fake::sectorOctets);
  std::fill_n(world.flash.begin() + static_cast<std::ptrdiff_t>(at), fake::sectorOctets, '\xff');
  fake::keep();
  return true;
}
