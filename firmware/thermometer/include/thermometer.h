// Generated from units/thermometer.ts by `baseunit generate`. Do not edit.
// Temperature and humidity of a room.
#pragma once

#include <baseunit.h>

namespace thermometer {

struct Reading {
  static constexpr uint8_t number = 1;
  static constexpr size_t maxOctets = 8;
  /** How often the definition wants it measured. */
  static constexpr uint32_t everyMs = 2000;
  /** °C, -40 to 85 */
  float temperature = 0.0f;
  /** %, 0 to 100 */
  float humidity = 0.0f;
};
static_assert(sizeof(Reading) == 8, "reading takes another amount of RAM than the generator reckons with");

static_assert(0 + 5 <= 1024 && 8 + 9 <= 1024, "a message has at most 1024 octets, its head included");

// A codec a message, for both directions: the unit needs one of them, the tests both; what is not used costs nothing.
inline bool decode(bu::Reader& in, Reading& value) {
  in.field(0);
  value.temperature = in.f32(-40.0f, 85.0f);
  in.field(1);
  value.humidity = in.f32(0.0f, 100.0f);
  return in.finish();
}

inline bool encode(bu::Writer& out, const Reading& value) {
  out.field(0);
  out.f32(value.temperature, -40.0f, 85.0f);
  out.field(1);
  out.f32(value.humidity, 0.0f, 100.0f);
  return out.isOk();
}

namespace detail {

static const char name[] BU_FLASH = "thermometer";
static const char version[] BU_FLASH = "1.0.0";
static const char descriptor[] BU_FLASH =
    "unit thermometer read\n"
    "report 1 reading temperature:f32[\302\260C,-40..85],humidity:f32[%25,0..100]\n";
// 22c193c1277a2e4b
static const uint8_t fingerprint[bu::fingerprintOctets] BU_FLASH = {0x22, 0xc1, 0x93, 0xc1, 0x27, 0x7a, 0x2e, 0x4b};

// One function a command keeps each stack frame small. A large command is `static` in its function: handlers run one at
// a time, and decoding overwrites every field.
inline bu::Answer dispatch(uint8_t, bu::Reader&, bu::Writer&) { return bu::Answer::unknownMessage(); }

inline constexpr bu::UnitDescription description{
    bu::flashText(name),       bu::flashText(version), bu::UnitKind::read,
    bu::flashText(descriptor), fingerprint,            &dispatch,
    nullptr,                   0,
};

}  // namespace detail

/** The unit: `thermometer::Unit unit;`. It has no commands, and so needs no handlers. */
class Unit : public bu::SessionUnit<16, 8, 0> {

 public:
  /** Starts to listen. Call once, in setup(). */
  void begin() { this->start(detail::description); }

  /** Keeps the report until the base has stored it. Anything but `none`: a value is out of its bounds, nothing was kept. */
  bu::Refusal report(const Reading& value) { return this->send(Reading::number, value); }
};

}  // namespace thermometer
