// Generated from units/rain-barrel.ts by `baseunit generate`. Do not edit.
// Measures the water in a barrel, waters the garden on command.
#pragma once

#include <baseunit.h>

namespace rain_barrel {

/** Water these beds, one after the other; no beds: all */
struct Water {
  static constexpr uint8_t number = 1;
  static constexpr size_t maxOctets = 14;
  enum class Mode : uint8_t { drip, normal, flood };
  Mode mode = Mode::normal;
  /** l, 0 to 200 */
  float litres = 5.0f;
  /** at most 8, each: 0 to 15 */
  bu::List<uint8_t, 8> beds;
};
static_assert(sizeof(Water) == 20, "water takes another amount of RAM than the generator reckons with");

/** What the command is answered with. */
struct WaterReply {
  static constexpr size_t maxOctets = 5;
  /** s */
  uint32_t startedAt = 0;
  /** 0 to 4 */
  uint8_t queue = 0;
};
static_assert(sizeof(WaterReply) == 8, "the reply takes another amount of RAM than the generator reckons with");
static_assert(WaterReply::maxOctets < 32, "the unit keeps 16 answers of at most 32 octets, the number included");

/** Close the valve and empty the queue */
struct Stop {
  static constexpr uint8_t number = 2;
  static constexpr size_t maxOctets = 0;
};
static_assert(sizeof(Stop) == 1, "stop takes another amount of RAM than the generator reckons with");

struct Configure {
  static constexpr uint8_t number = 3;
  static constexpr size_t maxOctets = 56;
  /** at most 32 octets of UTF-8 */
  bu::Text<32> label{"barrel", 6};
  bu::Rgb light{0x00, 0xff, 0x00};
  /** at most 16 octets */
  bu::Bytes<16> calibration;
  /** mm, -500 to 500 */
  int16_t offset = 0;
  bool enabled = true;
};
static_assert(sizeof(Configure) == 60, "configure takes another amount of RAM than the generator reckons with");

struct Level {
  static constexpr uint8_t number = 10;
  static constexpr size_t maxOctets = 22;
  /** How often the definition wants it measured. */
  static constexpr uint32_t everyMs = 5000;
  /** l, 0 to 200 */
  float litres = 0.0f;
  /** °C, -20 to 60 */
  int8_t waterTemperature = 0;
  /** at most 4, each: l/min, 0 to 50 */
  bu::List<float, 4> flow;
};
static_assert(sizeof(Level) == 28, "level takes another amount of RAM than the generator reckons with");

struct Valve {
  static constexpr uint8_t number = 11;
  static constexpr size_t maxOctets = 61;
  enum class Mode : uint8_t { drip, normal, flood, off };
  bool isOpen = false;
  Mode mode = Mode::off;
  uint32_t runs = 0;
  /** ml */
  int32_t balance = 0;
  /** ms */
  uint16_t lastMs = 0;
  /** at most 48 octets of UTF-8 */
  bu::Text<48> note;
};
static_assert(sizeof(Valve) == 68, "valve takes another amount of RAM than the generator reckons with");

static_assert(56 + 5 <= 1024 && 61 + 9 <= 1024, "a message has at most 1024 octets, its head included");

// A codec a message, for both directions: the unit needs one of them, the tests both; what is not used costs nothing.
inline bool decode(bu::Reader& in, Water& value) {
  in.field(0);
  value.mode = in.oneOf<Water::Mode>(3);
  in.field(1);
  value.litres = in.f32(0.0f, 200.0f);
  in.field(2);
  in.list(value.beds, [](bu::Reader& in, uint8_t& item) {
    item = in.u8(0, 15);
  });
  return in.finish();
}

inline bool encode(bu::Writer& out, const Water& value) {
  out.field(0);
  out.oneOf(value.mode, 3);
  out.field(1);
  out.f32(value.litres, 0.0f, 200.0f);
  out.field(2);
  out.list(value.beds, [](bu::Writer& out, const uint8_t& item) { out.u8(item, 0, 15); });
  return out.isOk();
}

inline bool decode(bu::Reader& in, WaterReply& value) {
  in.field(0);
  value.startedAt = in.u32();
  in.field(1);
  value.queue = in.u8(0, 4);
  return in.finish();
}

inline bool encode(bu::Writer& out, const WaterReply& value) {
  out.field(0);
  out.u32(value.startedAt);
  out.field(1);
  out.u8(value.queue, 0, 4);
  return out.isOk();
}

inline bool decode(bu::Reader& in, Stop&) {
  return in.finish();
}

inline bool encode(bu::Writer& out, const Stop&) {
  return out.isOk();
}

inline bool decode(bu::Reader& in, Configure& value) {
  in.field(0);
  in.text(value.label);
  in.field(1);
  value.light = in.rgb();
  in.field(2);
  in.bytes(value.calibration);
  in.field(3);
  value.offset = in.i16(-500, 500);
  in.field(4);
  value.enabled = in.boolean();
  return in.finish();
}

inline bool encode(bu::Writer& out, const Configure& value) {
  out.field(0);
  out.text(value.label);
  out.field(1);
  out.rgb(value.light);
  out.field(2);
  out.bytes(value.calibration);
  out.field(3);
  out.i16(value.offset, -500, 500);
  out.field(4);
  out.boolean(value.enabled);
  return out.isOk();
}

inline bool decode(bu::Reader& in, Level& value) {
  in.field(0);
  value.litres = in.f32(0.0f, 200.0f);
  in.field(1);
  value.waterTemperature = in.i8(-20, 60);
  in.field(2);
  in.list(value.flow, [](bu::Reader& in, float& item) {
    item = in.f32(0.0f, 50.0f);
  });
  return in.finish();
}

inline bool encode(bu::Writer& out, const Level& value) {
  out.field(0);
  out.f32(value.litres, 0.0f, 200.0f);
  out.field(1);
  out.i8(value.waterTemperature, -20, 60);
  out.field(2);
  out.list(value.flow, [](bu::Writer& out, const float& item) { out.f32(item, 0.0f, 50.0f); });
  return out.isOk();
}

inline bool decode(bu::Reader& in, Valve& value) {
  in.field(0);
  value.isOpen = in.boolean();
  in.field(1);
  value.mode = in.oneOf<Valve::Mode>(4);
  in.field(2);
  value.runs = in.u32();
  in.field(3);
  value.balance = in.i32();
  in.field(4);
  value.lastMs = in.u16();
  in.field(5);
  in.text(value.note);
  return in.finish();
}

inline bool encode(bu::Writer& out, const Valve& value) {
  out.field(0);
  out.boolean(value.isOpen);
  out.field(1);
  out.oneOf(value.mode, 4);
  out.field(2);
  out.u32(value.runs);
  out.field(3);
  out.i32(value.balance);
  out.field(4);
  out.u16(value.lastMs);
  out.field(5);
  out.text(value.note);
  return out.isOk();
}

namespace detail {

static const char name[] BU_FLASH = "rain-barrel";
static const char version[] BU_FLASH = "1.0.0";
static const char descriptor[] BU_FLASH =
    "unit rain-barrel read\n"
    "command 1 water mode:oneOf(drip|normal|flood),litres:f32[l,0..200],beds:list(u8[,0..15],8)->startedAt:u32[s],queue:u8[,0..4]\n"
    "command 2 stop\n"
    "command 3 configure label:text(32),light:rgb,calibration:bytes(16),offset:i16[mm,-500..500],enabled:bool\n"
    "report 10 level litres:f32[l,0..200],waterTemperature:i8[\302\260C,-20..60],flow:list(f32[l/min,0..50],4)\n"
    "report 11 valve isOpen:bool,mode:oneOf(drip|normal|flood|off),runs:u32,balance:i32[ml],lastMs:u16[ms],note:text(48)\n";
// 9f1f15c378b05175
static const uint8_t fingerprint[bu::fingerprintOctets] BU_FLASH = {0x9f, 0x1f, 0x15, 0xc3, 0x78, 0xb0, 0x51, 0x75};
static const char waterNames[] BU_FLASH = "water\0mode\0litres\0beds";
static const char waterNamesOfReply[] BU_FLASH = "water reply\0startedAt\0queue";
static const char stopNames[] BU_FLASH = "stop";
static const char configureNames[] BU_FLASH = "configure\0label\0light\0calibration\0offset\0enabled";

template <class Handlers, class = void>
struct HasWater {
  static constexpr bool value = false;
};
template <class Handlers>
struct HasWater<Handlers, bu::Void<decltype(static_cast<bu::Answer (*)(const Water&, WaterReply&)>(&Handlers::water))>> {
  static constexpr bool value = true;
};

template <class Handlers, class = void>
struct HasStop {
  static constexpr bool value = false;
};
template <class Handlers>
struct HasStop<Handlers, bu::Void<decltype(static_cast<bu::Answer (*)(const Stop&)>(&Handlers::stop))>> {
  static constexpr bool value = true;
};

template <class Handlers, class = void>
struct HasConfigure {
  static constexpr bool value = false;
};
template <class Handlers>
struct HasConfigure<Handlers, bu::Void<decltype(static_cast<bu::Answer (*)(const Configure&)>(&Handlers::configure))>> {
  static constexpr bool value = true;
};

// One function a command keeps each stack frame small. A large command is `static` in its function: handlers run one at
// a time, and decoding overwrites every field.
template <class Handlers>
bu::Answer runWater(bu::Reader& in, bu::Writer& out) {
  Water command;
  if (!decode(in, command)) return bu::Answer::undecodable(in, bu::flashText(waterNames));
  if constexpr (HasWater<Handlers>::value) {
    WaterReply reply;
    const bu::Answer answer = Handlers::water(command, reply);
    if (answer.isOk() && !encode(out, reply)) {
      return bu::Answer::unsendable(out, bu::flashText(waterNamesOfReply));
    }
    return answer;
  }
  return bu::Answer::ok();
}

template <class Handlers>
bu::Answer runStop(bu::Reader& in, bu::Writer&) {
  Stop command;
  if (!decode(in, command)) return bu::Answer::undecodable(in, bu::flashText(stopNames));
  if constexpr (HasStop<Handlers>::value) return Handlers::stop(command);
  return bu::Answer::ok();
}

template <class Handlers>
bu::Answer runConfigure(bu::Reader& in, bu::Writer&) {
  Configure command;
  if (!decode(in, command)) return bu::Answer::undecodable(in, bu::flashText(configureNames));
  if constexpr (HasConfigure<Handlers>::value) return Handlers::configure(command);
  return bu::Answer::ok();
}

template <class Handlers>
bu::Answer dispatch(uint8_t number, bu::Reader& in, bu::Writer& out) {
  switch (number) {
    case Water::number:
      return runWater<Handlers>(in, out);
    case Stop::number:
      return runStop<Handlers>(in, out);
    case Configure::number:
      return runConfigure<Handlers>(in, out);
    default:
      return bu::Answer::unknownMessage();
  }
}

template <class Handlers>
inline constexpr bu::UnitDescription description{
    bu::flashText(name),       bu::flashText(version), bu::UnitKind::read,
    bu::flashText(descriptor), fingerprint,            &dispatch<Handlers>,
    nullptr,                   0,
};

}  // namespace detail

/** The unit: `rain_barrel::Unit<Handlers> unit;`, where `Handlers` has a static handler for every command. */
template <class Handlers>
class Unit : public bu::SessionUnit<16, 61, 56> {
  static_assert(detail::HasWater<Handlers>::value,
                "rain-barrel (units/rain-barrel.ts): command water needs a handler: static bu::Answer water(const rain_barrel::Water& command, rain_barrel::WaterReply& reply)");
  static_assert(detail::HasStop<Handlers>::value,
                "rain-barrel (units/rain-barrel.ts): command stop needs a handler: static bu::Answer stop(const rain_barrel::Stop& command)");
  static_assert(detail::HasConfigure<Handlers>::value,
                "rain-barrel (units/rain-barrel.ts): command configure needs a handler: static bu::Answer configure(const rain_barrel::Configure& command)");

 public:
  /** Starts to listen. Call once, in setup(). */
  void begin() { this->start(detail::description<Handlers>); }

  /** Keeps the report until the base has stored it. Anything but `none`: a value is out of its bounds, nothing was kept. */
  bu::Refusal report(const Level& value) { return this->send(Level::number, value); }
  /** Keeps the report until the base has stored it. Anything but `none`: a value is out of its bounds, nothing was kept. */
  bu::Refusal report(const Valve& value) { return this->send(Valve::number, value); }
};

}  // namespace rain_barrel
