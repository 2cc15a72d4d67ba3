#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * Packets of the Improv Wi-Fi standard over a serial line (https://www.improv-wifi.com/serial/):
 *
 *     0  IMPROV
 *     6  version:8 = 1
 *     7  type:8
 *     8  length:8
 *     9  data
 *        check sum:8, the sum of all before it
 *        0a
 */
namespace bu::improv {

constexpr size_t headOctets = 9;
/** `IMPROV` and the version, by which a packet is known. */
constexpr size_t markOctets = 7;
/** Head, check sum, line end. */
constexpr size_t aroundOctets = headOctets + 2;

enum class Type : uint8_t { state = 1, error = 2, rpc = 3, result = 4 };

enum class State : uint8_t { ready = 2, provisioning = 3, provisioned = 4 };

enum class Error : uint8_t {
  none = 0,
  invalidRpc = 1,
  unknownRpc = 2,
  unableToConnect = 3,
  notAuthorised = 4,
  unknown = 0xff,
};

enum class Command : uint8_t {
  wifiSettings = 0x01,
  currentState = 0x02,
  deviceInformation = 0x03,
  /** Of our own: uidLength:8 uid | key:16 | baseLength:8 base. */
  identity = 0xb0,
};

/** A packet that arrived, its check sum right. The octets are its receiver's. */
struct Packet {
  Type type;
  const uint8_t* data;
  uint8_t length;
};

/** Octet `index` of the mark. */
uint8_t markAt(size_t index);
/** The sum of all octets, 8 bits. */
uint8_t checksumOf(const uint8_t* octets, size_t count);

/** Builds one packet in memory lent to it, which must have room for `aroundOctets` and the data. */
class Builder {
 public:
  Builder(uint8_t* to, Type type);

  void put(uint8_t octet) { to_[length_++] = octet; }
  void put(const void* octets, size_t count);
  /** Data so far. */
  uint8_t dataLength() const { return static_cast<uint8_t>(length_ - headOctets); }
  /** Changes an octet of the data that was put before. */
  void set(size_t dataIndex, uint8_t octet) { to_[headOctets + dataIndex] = octet; }
  /** Length, check sum and line end; the packet's octets. */
  size_t finish();

 private:
  uint8_t* to_;
  size_t length_ = headOctets;
};

}  // namespace bu::improv
