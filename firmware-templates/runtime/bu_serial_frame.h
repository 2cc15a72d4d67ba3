#pragma once

#include <stddef.h>
#include <stdint.h>

// wire/unit.md, "Serial": a frame is COBS(chunk | CRC-16/CCITT-FALSE, high octet first) | 00. With chunks this short COBS
// costs one octet, always.
namespace bu {

constexpr size_t maxChunkOctets = 240;
constexpr size_t chunkCrcOctets = 2;

/** Octets of the frame of such a chunk, with the `00` at its end. */
constexpr size_t frameOctetsFor(size_t chunkOctets) { return 1 + chunkOctets + chunkCrcOctets + 1; }

/** What `decodeFrame` returns for octets that are no frame. */
constexpr int noFrame = -1;

/** Writes the frame of a chunk of at most `maxChunkOctets`; its octets, with the `00`. */
size_t encodeFrame(const uint8_t* chunk, size_t count, uint8_t* to);

/** Turns what stood before a `00` into its chunk, in place; the chunk's octets, or `noFrame`. */
int decodeFrame(uint8_t* octets, size_t count);

}  // namespace bu
