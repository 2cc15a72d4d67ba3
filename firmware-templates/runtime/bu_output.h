#pragma once

#include <stddef.h>
#include <stdint.h>

namespace bu {

/** What waits to be written to one connection, in memory lent to it. A message goes in whole or not at all. */
class Output {
 public:
  enum class Flush : uint8_t { done, blocked, lost };

  constexpr Output(uint8_t* buffer, uint16_t capacity) : buffer_(buffer), capacity_(capacity) {}

  bool hasRoom(size_t count) const { return count <= static_cast<size_t>(capacity_ - pending()); }
  /** Room for so many octets in one piece; null when there is not so much. Valid until `commit` or `flush`. */
  uint8_t* reserve(size_t count);
  /** So many of the reserved octets were filled. */
  void commit(size_t count) { end_ = static_cast<uint16_t>(end_ + count); }
  /** Writes as much as the connection takes. */
  Flush flush(uint8_t slot);
  uint16_t pending() const { return static_cast<uint16_t>(end_ - start_); }
  void reset() { start_ = end_ = 0; }

 private:
  uint8_t* buffer_;
  uint16_t capacity_;
  uint16_t start_ = 0;
  uint16_t end_ = 0;
};

}  // namespace bu
