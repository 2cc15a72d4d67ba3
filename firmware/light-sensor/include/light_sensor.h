// Generated from units/light-sensor.ts by `baseunit generate`. Do not edit.
// Ambient light at the analogue input, 0 (dark) to 1023 (bright).
#pragma once

#include <baseunit_line.h>

namespace light_sensor {

struct Light {
  static constexpr uint8_t number = 1;
  static constexpr size_t maxOctets = 2;
  /** How often the definition wants it measured. */
  static constexpr uint32_t everyMs = 1000;
  /** 0 to 1023 */
  uint16_t level = 0;
};
static_assert(sizeof(Light) == 2, "light takes another amount of RAM than the generator reckons with");

namespace detail {
/** Octets of the longest value as text. */
constexpr uint16_t valueOctets = 4;
}  // namespace detail

inline bool print(bu::LineText& out, const Light& value) {
  out.u16(value.level, 0, 1023);
  return out.isOk();
}

namespace detail {

static const char name[] BU_FLASH = "light-sensor";
static const char version[] BU_FLASH = "1.0.0";
static const char descriptor[] BU_FLASH =
    "unit light-sensor read\n"
    "report 1 light level:u16[,0..1023]\n";
// 97a16c9e075ffdef
static const uint8_t fingerprint[bu::fingerprintOctets] BU_FLASH = {0x97, 0xa1, 0x6c, 0x9e, 0x07, 0x5f, 0xfd, 0xef};

constexpr bu::UnitDescription description{
    bu::flashText(name),       bu::flashText(version), bu::UnitKind::read,
    bu::flashText(descriptor), fingerprint,            nullptr,
    nullptr, 0,
};

}  // namespace detail

/** The unit: `light_sensor::Unit unit;`. It has no commands, and so needs no handlers. */
class Unit : public bu::LineReadUnit<detail::valueOctets> {
 public:
  constexpr Unit() : LineReadUnit(detail::description) {}

  /** Writes the value to whoever is connected. Anything but `none`: it is out of its bounds, nothing was written. */
  bu::Refusal report(const Light& value) {
    print(beginLine(), value);
    return sendLine();
  }
};

}  // namespace light_sensor
