// Generated from units/garden-probe.ts by `baseunit generate`. Do not edit.
// Moisture of the soil, measured on a battery.
#pragma once

#include <baseunit.h>

namespace garden_probe {

/** From now on the soil is dry below so much moisture */
struct SetDryBelow {
  static constexpr uint8_t number = 1;
  static constexpr size_t maxOctets = 1;
  /** %, 0 to 100 */
  uint8_t dryBelow = 30;
};
static_assert(sizeof(SetDryBelow) == 1, "setDryBelow takes another amount of RAM than the generator reckons with");

struct Soil {
  static constexpr uint8_t number = 2;
  static constexpr size_t maxOctets = 6;
  /** How often the definition wants it measured. */
  static constexpr uint32_t everyMs = 600000;
  /** %, 0 to 100 */
  uint8_t moisture = 0;
  /** V, 0 to 6 */
  float battery = 0.0f;
  bool isDry = false;
};
static_assert(sizeof(Soil) == 12, "soil takes another amount of RAM than the generator reckons with");

static_assert(1 + 5 <= 1024 && 6 + 9 <= 1024, "a message has at most 1024 octets, its head included");

// A codec a message, for both directions: the unit needs one of them, the tests both; what is not used costs nothing.
inline bool decode(bu::Reader& in, SetDryBelow& value) {
  in.field(0);
  value.dryBelow = in.u8(0, 100);
  return in.finish();
}

inline bool encode(bu::Writer& out, const SetDryBelow& value) {
  out.field(0);
  out.u8(value.dryBelow, 0, 100);
  return out.isOk();
}

inline bool decode(bu::Reader& in, Soil& value) {
  in.field(0);
  value.moisture = in.u8(0, 100);
  in.field(1);
  value.battery = in.f32(0.0f, 6.0f);
  in.field(2);
  value.isDry = in.boolean();
  return in.finish();
}

inline bool encode(bu::Writer& out, const Soil& value) {
  out.field(0);
  out.u8(value.moisture, 0, 100);
  out.field(1);
  out.f32(value.battery, 0.0f, 6.0f);
  out.field(2);
  out.boolean(value.isDry);
  return out.isOk();
}

namespace detail {

static const char name[] BU_FLASH = "garden-probe";
static const char version[] BU_FLASH = "1.0.0";
static const char descriptor[] BU_FLASH =
    "unit garden-probe read\n"
    "command 1 setDryBelow dryBelow:u8[%25,0..100]\n"
    "report 2 soil moisture:u8[%25,0..100],battery:f32[V,0..6],isDry:bool\n";
// b015f86f72094475
static const uint8_t fingerprint[bu::fingerprintOctets] BU_FLASH = {0xb0, 0x15, 0xf8, 0x6f, 0x72, 0x09, 0x44, 0x75};
static const char setDryBelowNames[] BU_FLASH = "setDryBelow\0dryBelow";

template <class Handlers, class = void>
struct HasSetDryBelow {
  static constexpr bool value = false;
};
template <class Handlers>
struct HasSetDryBelow<Handlers, bu::Void<decltype(static_cast<bu::Answer (*)(const SetDryBelow&)>(&Handlers::setDryBelow))>> {
  static constexpr bool value = true;
};

// One function a command keeps each stack frame small. A large command is `static` in its function: handlers run one at
// a time, and decoding overwrites every field.
template <class Handlers>
bu::Answer runSetDryBelow(bu::Reader& in, bu::Writer&) {
  SetDryBelow command;
  if (!decode(in, command)) return bu::Answer::undecodable(in, bu::flashText(setDryBelowNames));
  if constexpr (HasSetDryBelow<Handlers>::value) return Handlers::setDryBelow(command);
  return bu::Answer::ok();
}

template <class Handlers>
bu::Answer dispatch(uint8_t number, bu::Reader& in, bu::Writer& out) {
  switch (number) {
    case SetDryBelow::number:
      return runSetDryBelow<Handlers>(in, out);
    default:
      return bu::Answer::unknownMessage();
  }
}

template <class Handlers>
inline constexpr bu::UnitDescription description{
    bu::flashText(name),       bu::flashText(version), bu::UnitKind::read,
    bu::flashText(descriptor), fingerprint,            &dispatch<Handlers>,
    nullptr,                   600000,
};

}  // namespace detail

/** The unit: `garden_probe::Unit<Handlers> unit;`, where `Handlers` has a static handler for every command. */
template <class Handlers>
class Unit : public bu::SleepingUnit<16, 6, 1, true> {
  static_assert(detail::HasSetDryBelow<Handlers>::value,
                "garden-probe (units/garden-probe.ts): command setDryBelow needs a handler: static bu::Answer setDryBelow(const garden_probe::SetDryBelow& command)");

 public:
  /** Starts to listen. Call once, in setup(). */
  void begin() { this->start(detail::description<Handlers>); }

  /** Keeps the report until the base has stored it. Anything but `none`: a value is out of its bounds, nothing was kept. */
  bu::Refusal report(const Soil& value) { return this->send(Soil::number, value); }
};

}  // namespace garden_probe
