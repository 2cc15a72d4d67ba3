// Generated from units/led-lamp.ts by `baseunit generate`. Do not edit.
// A strip of coloured light-emitting diodes.
#pragma once

#include <baseunit.h>

namespace led_lamp {

/** Show this colour at once */
struct SetColor {
  static constexpr uint8_t number = 1;
  static constexpr size_t maxOctets = 3;
  bu::Rgb color{0x00, 0x00, 0x00};
};
static_assert(sizeof(SetColor) == 3, "setColor takes another amount of RAM than the generator reckons with");

/** Change to this colour little by little */
struct Fade {
  static constexpr uint8_t number = 2;
  static constexpr size_t maxOctets = 5;
  bu::Rgb color{0x00, 0x00, 0x00};
  /** ms, 0 to 60000 */
  uint16_t durationMs = 1000;
};
static_assert(sizeof(Fade) == 6, "fade takes another amount of RAM than the generator reckons with");

struct State {
  static constexpr uint8_t number = 3;
  static constexpr size_t maxOctets = 4;
  bu::Rgb color{0x00, 0x00, 0x00};
  /** %, 0 to 100 */
  uint8_t brightness = 100;
};
static_assert(sizeof(State) == 4, "state takes another amount of RAM than the generator reckons with");

static_assert(5 + 5 <= 1024 && 4 + 9 <= 1024, "a message has at most 1024 octets, its head included");

// A codec a message, for both directions: the unit needs one of them, the tests both; what is not used costs nothing.
inline bool decode(bu::Reader& in, SetColor& value) {
  in.field(0);
  value.color = in.rgb();
  return in.finish();
}

inline bool encode(bu::Writer& out, const SetColor& value) {
  out.field(0);
  out.rgb(value.color);
  return out.isOk();
}

inline bool decode(bu::Reader& in, Fade& value) {
  in.field(0);
  value.color = in.rgb();
  in.field(1);
  value.durationMs = in.u16(0, 60000);
  return in.finish();
}

inline bool encode(bu::Writer& out, const Fade& value) {
  out.field(0);
  out.rgb(value.color);
  out.field(1);
  out.u16(value.durationMs, 0, 60000);
  return out.isOk();
}

inline bool decode(bu::Reader& in, State& value) {
  in.field(0);
  value.color = in.rgb();
  in.field(1);
  value.brightness = in.u8(0, 100);
  return in.finish();
}

inline bool encode(bu::Writer& out, const State& value) {
  out.field(0);
  out.rgb(value.color);
  out.field(1);
  out.u8(value.brightness, 0, 100);
  return out.isOk();
}

namespace detail {

static const char name[] BU_FLASH = "led-lamp";
static const char version[] BU_FLASH = "1.0.0";
static const char descriptor[] BU_FLASH =
    "unit led-lamp updatable\n"
    "command 1 setColor color:rgb\n"
    "command 2 fade color:rgb,durationMs:u16[ms,0..60000]\n"
    "report 3 state color:rgb,brightness:u8[%25,0..100]\n";
// 3c96ba97ee39b7c0
static const uint8_t fingerprint[bu::fingerprintOctets] BU_FLASH = {0x3c, 0x96, 0xba, 0x97, 0xee, 0x39, 0xb7, 0xc0};
static const char setColorNames[] BU_FLASH = "setColor\0color";
static const char fadeNames[] BU_FLASH = "fade\0color\0durationMs";

template <class Handlers, class = void>
struct HasSetColor {
  static constexpr bool value = false;
};
template <class Handlers>
struct HasSetColor<Handlers, bu::Void<decltype(static_cast<bu::Answer (*)(const SetColor&)>(&Handlers::setColor))>> {
  static constexpr bool value = true;
};

template <class Handlers, class = void>
struct HasFade {
  static constexpr bool value = false;
};
template <class Handlers>
struct HasFade<Handlers, bu::Void<decltype(static_cast<bu::Answer (*)(const Fade&)>(&Handlers::fade))>> {
  static constexpr bool value = true;
};

// One function a command keeps each stack frame small. A large command is `static` in its function: handlers run one at
// a time, and decoding overwrites every field.
template <class Handlers>
bu::Answer runSetColor(bu::Reader& in, bu::Writer&) {
  SetColor command;
  if (!decode(in, command)) return bu::Answer::undecodable(in, bu::flashText(setColorNames));
  if constexpr (HasSetColor<Handlers>::value) return Handlers::setColor(command);
  return bu::Answer::ok();
}

template <class Handlers>
bu::Answer runFade(bu::Reader& in, bu::Writer&) {
  Fade command;
  if (!decode(in, command)) return bu::Answer::undecodable(in, bu::flashText(fadeNames));
  if constexpr (HasFade<Handlers>::value) return Handlers::fade(command);
  return bu::Answer::ok();
}

template <class Handlers>
bu::Answer dispatch(uint8_t number, bu::Reader& in, bu::Writer& out) {
  switch (number) {
    case SetColor::number:
      return runSetColor<Handlers>(in, out);
    case Fade::number:
      return runFade<Handlers>(in, out);
    default:
      return bu::Answer::unknownMessage();
  }
}

template <class Handlers>
inline constexpr bu::UnitDescription description{
    bu::flashText(name),       bu::flashText(version), bu::UnitKind::updatable,
    bu::flashText(descriptor), fingerprint,            &dispatch<Handlers>,
    nullptr,                   0,
};

}  // namespace detail

/** The unit: `led_lamp::Unit<Handlers> unit;`, where `Handlers` has a static handler for every command. */
template <class Handlers>
class Unit : public bu::SessionUnit<16, 4, 5> {
  static_assert(detail::HasSetColor<Handlers>::value,
                "led-lamp (units/led-lamp.ts): command setColor needs a handler: static bu::Answer setColor(const led_lamp::SetColor& command)");
  static_assert(detail::HasFade<Handlers>::value,
                "led-lamp (units/led-lamp.ts): command fade needs a handler: static bu::Answer fade(const led_lamp::Fade& command)");

 public:
  /** Starts to listen. Call once, in setup(). */
  void begin() { this->start(detail::description<Handlers>); }

  /** Keeps the report until the base has stored it. Anything but `none`: a value is out of its bounds, nothing was kept. */
  bu::Refusal report(const State& value) { return this->send(State::number, value); }
};

}  // namespace led_lamp
