#include "bu_frame_reader.h"

#include "bu_octets.h"

namespace bu {

FrameReader::Status FrameReader::took(uint16_t count) {
  filled_ = static_cast<uint16_t>(filled_ + count);
  return filled_ < needed_ ? Status::more : grow();
}

/** Looks at what is there, and asks for as many octets as that tells. */
FrameReader::Status FrameReader::grow() {
  const uint8_t first = buffer_[0];
  frame_.type = static_cast<FrameType>(first >> 4);
  // Towards an object RTE is 0, and reserved bits are 0: anything else is a protocol error.
  if ((first & 0x0fU) != 0) return Status::bad;
  size_t total = 0;
  switch (frame_.type) {
    case FrameType::ping:
    case FrameType::pong:
      total = 1;
      break;
    case FrameType::close:
      total = 2;
      break;
    case FrameType::telemetryToken:
      total = 9;
      break;
    case FrameType::request:
    case FrameType::response: {
      const size_t head = frame_.type == FrameType::request ? requestHeadOctets : responseHeadOctets;
      if (filled_ < head) {
        needed_ = static_cast<uint16_t>(head);
        return Status::more;
      }
      frame_.length = bigU16(buffer_ + head - 2);
      total = head + frame_.length;
      break;
    }
    default:
      return Status::bad;
  }
  if (total + tagOctets > capacity_) return Status::bad;
  needed_ = static_cast<uint16_t>(total + tagOctets);
  if (filled_ < needed_) return Status::more;
  switch (frame_.type) {
    case FrameType::request:
      frame_.tracking = bigU16(buffer_ + 1);
      frame_.format = buffer_[3];
      frame_.data = buffer_ + requestHeadOctets;
      break;
    case FrameType::response:
      frame_.tracking = bigU16(buffer_ + 1);
      frame_.code = buffer_[3];
      frame_.format = buffer_[4];
      frame_.data = buffer_ + responseHeadOctets;
      break;
    case FrameType::close:
      frame_.code = buffer_[1];
      break;
    default:
      break;
  }
  return Status::frame;
}

}  // namespace bu
