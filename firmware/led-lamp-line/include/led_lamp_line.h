// Generated from units/led-lamp-line.ts by `baseunit generate`. Do not edit.
// The original lamp, commanded with one line of text.
#pragma once

#include <baseunit_line.h>

namespace led_lamp_line {

struct SetColor {
  static constexpr uint8_t number = 1;
  static constexpr size_t maxOctets = 3;
  bu::Rgb color{0x00, 0x00, 0x00};
};
static_assert(sizeof(SetColor) == 3, "setColor takes another amount of RAM than the generator reckons with");

namespace detail {
/** Octets of the longest value as text. */
constexpr uint16_t valueOctets = 7;
}  // namespace detail

inline bool parse(bu::LineValue& in, SetColor& value) {
  value.color = in.rgb();
  return in.isOk();
}

namespace detail {

static const char name[] BU_FLASH = "led-lamp-line";
static const char version[] BU_FLASH = "1.0.0";
static const char descriptor[] BU_FLASH =
    "unit led-lamp-line updatable\n"
    "command 1 setColor color:rgb\n";
// ca30989618898141
static const uint8_t fingerprint[bu::fingerprintOctets] BU_FLASH = {0xca, 0x30, 0x98, 0x96, 0x18, 0x89, 0x81, 0x41};
static const char setColorNames[] BU_FLASH = "setColor\0color";

template <class Handlers, class = void>
struct HasSetColor {
  static constexpr bool value = false;
};
template <class Handlers>
struct HasSetColor<Handlers, bu::Void<decltype(static_cast<bu::Answer (*)(const SetColor&)>(&Handlers::setColor))>> {
  static constexpr bool value = true;
};

template <class Handlers>
bu::Answer run(const SetColor& command, bu::Case<true>) {
  return Handlers::setColor(command);
}
template <class Handlers>
bu::Answer run(const SetColor&, bu::Case<false>) {
  return bu::Answer::ok();
}
template <class Handlers>
bu::Answer onLine(bu::LineValue& in) {
  SetColor command;
  if (!parse(in, command)) return bu::Answer::unreadable(in, bu::flashText(setColorNames));
  return run<Handlers>(command, bu::Case<HasSetColor<Handlers>::value>());
}

template <class Handlers>
constexpr bu::UnitDescription description{
    bu::flashText(name),       bu::flashText(version), bu::UnitKind::updatable,
    bu::flashText(descriptor), fingerprint,            nullptr,
    &onLine<Handlers>, 0,
};

}  // namespace detail

/** The unit: `led_lamp_line::Unit<Handlers> unit;`, where `Handlers` has a static handler for the command. */
template <class Handlers>
class Unit : public bu::LineUpdatableUnit<detail::valueOctets> {
  static_assert(detail::HasSetColor<Handlers>::value,
                "led-lamp-line (units/led-lamp-line.ts): command setColor needs a handler: static bu::Answer setColor(const led_lamp_line::SetColor& command)");

 public:
  constexpr Unit() : LineUpdatableUnit(detail::description<Handlers>) {}
};

}  // namespace led_lamp_line
