// A model of what the generator writes for units/light-sensor.ts, a read unit of lines.
#pragma once

#include <baseunit.h>

namespace light_sensor {

struct Light {
  static constexpr uint8_t number = 1;
  static constexpr size_t maxOctets = 2;
  static constexpr uint32_t everyMs = 1000;
  /** 0 to 1023 */
  uint16_t level = 0;
};

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
static const uint8_t fingerprint[bu::fingerprintOctets] BU_FLASH = {0, 0, 0, 0, 0, 0, 0, 0};

inline constexpr bu::UnitDescription description{
    bu::flashText(name),       bu::flashText(version), bu::UnitKind::read,
    bu::flashText(descriptor), fingerprint,            nullptr,
    nullptr,
};

}  // namespace detail

/** A unit without commands needs no handlers. */
class Unit : public bu::LineReadUnit {
 public:
  constexpr Unit() : LineReadUnit(detail::description) {}

  /** Writes the value to whoever is connected. Anything but `none`: it is out of its bounds, nothing was written. */
  bu::Refusal report(const Light& value) {
    print(beginLine(), value);
    return sendLine();
  }
};

}  // namespace light_sensor
