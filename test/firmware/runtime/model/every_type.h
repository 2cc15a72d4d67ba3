// Every field type with bounds, written as the generator would write it; every-type.ts is the same in TypeScript.
#pragma once

#include <baseunit.h>

namespace every_type {

enum class Mode : uint8_t { drip = 0, normal, flood };

struct Sample {
  bool flag = false;
  uint8_t small = 0;
  int8_t tiny = 0;
  uint16_t wide = 0;
  int16_t offset = 0;
  uint32_t count = 0;
  int32_t balance = 0;
  float litres = 0;
  float any = 0;
  bu::Rgb light{0, 0, 0};
  Mode mode = Mode::drip;
  bu::Text<8> label;
  bu::Bytes<4> blob;
  bu::List<uint8_t, 4> beds;
  bu::List<float, 3> flows;
  bu::List<bu::Text<3>, 2> names;
};

constexpr float largest = 3.4028234663852886e38f;

inline bool decode(bu::Reader& in, Sample& value) {
  in.field(0);
  value.flag = in.boolean();
  in.field(1);
  value.small = in.u8(1, 100);
  in.field(2);
  value.tiny = in.i8(-20, 60);
  in.field(3);
  value.wide = in.u16();
  in.field(4);
  value.offset = in.i16(-500, 500);
  in.field(5);
  value.count = in.u32();
  in.field(6);
  value.balance = in.i32(-100000, 100000);
  in.field(7);
  value.litres = in.f32(static_cast<float>(0.1), static_cast<float>(200.3));
  in.field(8);
  value.any = in.f32(-largest, largest);
  in.field(9);
  value.light = in.rgb();
  in.field(10);
  value.mode = in.oneOf<Mode>(3);
  in.field(11);
  in.text(value.label);
  in.field(12);
  in.bytes(value.blob);
  in.field(13);
  in.list(value.beds, [](bu::Reader& item, uint8_t& to) { to = item.u8(0, 15); });
  in.field(14);
  in.list(value.flows, [](bu::Reader& item, float& to) { to = item.f32(0.0f, 50.0f); });
  in.field(15);
  in.list(value.names, [](bu::Reader& item, bu::Text<3>& to) { item.text(to); });
  return in.finish();
}

inline bool encode(bu::Writer& out, const Sample& value) {
  out.field(0);
  out.boolean(value.flag);
  out.field(1);
  out.u8(value.small, 1, 100);
  out.field(2);
  out.i8(value.tiny, -20, 60);
  out.field(3);
  out.u16(value.wide);
  out.field(4);
  out.i16(value.offset, -500, 500);
  out.field(5);
  out.u32(value.count);
  out.field(6);
  out.i32(value.balance, -100000, 100000);
  out.field(7);
  out.f32(value.litres, static_cast<float>(0.1), static_cast<float>(200.3));
  out.field(8);
  out.f32(value.any, -largest, largest);
  out.field(9);
  out.rgb(value.light);
  out.field(10);
  out.oneOf(value.mode, 3);
  out.field(11);
  out.text(value.label);
  out.field(12);
  out.bytes(value.blob);
  out.field(13);
  out.list(value.beds, [](bu::Writer& item, uint8_t from) { item.u8(from, 0, 15); });
  out.field(14);
  out.list(value.flows, [](bu::Writer& item, float from) { item.f32(from, 0.0f, 50.0f); });
  out.field(15);
  out.list(value.names, [](bu::Writer& item, const bu::Text<3>& from) { item.text(from); });
  return out.isOk();
}

}  // namespace every_type
