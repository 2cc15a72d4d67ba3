#pragma once

#include <stddef.h>
#include <stdint.h>

// Check sums without tables: a table of 512 octets would cost more than the time that these take.
namespace bu {

constexpr uint16_t crc16Start = 0xffff;

/** CRC-16/CCITT-FALSE, `29b1` for `123456789`. `before`: of the octets before these. */
uint16_t crc16(const uint8_t* from, size_t count, uint16_t before = crc16Start);

/** CRC-32 as in Ethernet and zip, `cbf43926` for `123456789`. `before`: of the octets before these. */
uint32_t crc32(const void* from, size_t count, uint32_t before = 0);

}  // namespace bu
