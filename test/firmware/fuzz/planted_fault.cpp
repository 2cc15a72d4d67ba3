// A fault behind six octets that must all be right: shows that the driver finds its way to what it does not know.
#include <stddef.h>
#include <stdint.h>

static volatile int opened;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 6) return 0;
  opened = 0;
  if (data[0] != 'u') return 0;
  opened = 1;
  if (data[1] != 'n') return 0;
  opened = 2;
  if (data[2] != 'l') return 0;
  opened = 3;
  if (data[3] != 'o') return 0;
  opened = 4;
  if (data[4] != 'c') return 0;
  opened = 5;
  return data[5] == 'k' ? data[size] : 0;
}
