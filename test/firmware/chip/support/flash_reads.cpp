#include <pgmspace.h>

// As the chip must: flash is read in whole words.
extern "C" void* memcpy_P(void* to, const void* from, size_t count) {
  for (size_t index = 0; index < count; ++index) {
    static_cast<uint8_t*>(to)[index] = pgm_read_byte(static_cast<const uint8_t*>(from) + index);
  }
  return to;
}
