#if !defined(ARDUINO)

#include "native_state.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../bu_state_store.h"
#include "native_process.h"

namespace bu {

namespace {

constexpr uint8_t erased = 0xff;

uint8_t image[2 * sectorOctets];
int file = -1;
const native::Options* told = nullptr;

size_t placeOf(uint8_t sector, uint32_t offset) { return size_t{sector} * sectorOctets + offset; }

/** What changed is on the disk when this returns: the firmware believes that flash keeps what it took. */
bool save(size_t at, size_t count) {
  if (file < 0) return true;
  return pwrite(file, image + at, count, static_cast<off_t>(at)) == static_cast<ssize_t>(count) && fdatasync(file) == 0;
}

bool readFlash(uint8_t sector, uint32_t offset, uint32_t* to, size_t octets) {
  memcpy(to, image + placeOf(sector, offset), octets);
  return true;
}

bool writeFlash(uint8_t sector, uint32_t offset, const uint32_t* from, size_t octets) {
  const uint8_t* octet = reinterpret_cast<const uint8_t*>(from);
  const size_t at = placeOf(sector, offset);
  // Bits only fall, as on the chip.
  for (size_t index = 0; index < octets; ++index) image[at + index] &= octet[index];
  return save(at, octets);
}

bool eraseFlash(uint8_t sector) {
  memset(image + placeOf(sector, 0), erased, sectorOctets);
  return save(placeOf(sector, 0), sectorOctets);
}

constexpr Flash flash = {readFlash, writeFlash, eraseFlash};
constexpr StateStore store(flash);

}  // namespace

namespace native {

void openState(const Options& options) {
  told = &options;
  memset(image, erased, sizeof image);
  if (options.stateFile[0] == '\0') return;
  file = open(options.stateFile, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  struct stat status = {};
  if (file < 0 || fstat(file, &status) != 0) giveUp(options.stateFile);
  const bool isImage = status.st_size == static_cast<off_t>(sizeof image);
  if (isImage && pread(file, image, sizeof image, 0) == static_cast<ssize_t>(sizeof image)) return;
  // New, or something else: flash as it comes from the factory.
  memset(image, erased, sizeof image);
  if (ftruncate(file, 0) != 0 || !save(0, sizeof image)) giveUp(options.stateFile);
}

void readSettings(Settings& to) {
  store.readSettings(to);
  if (told->uid.length() > 0) to.uid = told->uid;
  if (told->hasKey) memcpy(to.key, told->key, keyOctets);
  to.hasKey = to.hasKey || told->hasKey;
  if (told->base.length() > 0) to.base = told->base;
}

bool storeSettings(const Settings& settings) { return store.storeSettings(settings); }

}  // namespace native

uint32_t port::storedBoot() { return store.lastBoot(); }

bool port::storeBoot(uint32_t boot) { return store.storeBoot(boot); }

}  // namespace bu

#endif
