// Fields and lines of every type out of any octets. What a decoder takes, the encoder of the same message makes the same
// octets of; what it refuses, it says why. Input: the message's number among those below, then the octets.
#include <rain_barrel.h>
#include <stdlib.h>
#include <string.h>

namespace {

constexpr size_t maxOctets = 128;

void insist(bool isTrue) {
  if (!isTrue) abort();
}

/** Long texts and lists, and what a command of few octets has: nothing may be left of the message before. */
template <class Message>
void throughTheCodec(const uint8_t* octets, size_t length) {
  static_assert(Message::maxOctets <= maxOctets, "the buffer is too small");
  Message value;
  bu::Reader in(octets, length);
  if (!decode(in, value)) {
    insist(in.refusal() != bu::Refusal::none);
    return;
  }
  uint8_t again[maxOctets];
  bu::Writer out(again, sizeof again);
  insist(encode(out, value));
  insist(out.length() == length);
  insist(length == 0 || memcmp(again, octets, length) == 0);
}

void throughTheLine(const uint8_t* octets, size_t length) {
  const char* line = reinterpret_cast<const char*>(octets);
  const auto refusalOf = [&](auto read) {
    bu::LineValue in(line, length);
    read(in);
    return in.refusal();
  };
  char memory[256];
  bu::LineText text(memory, sizeof memory);
  const auto sameAgain = [&](auto print) {
    text.reset();
    print();
    insist(text.isOk());
  };
  bool isTrue = false;
  if (refusalOf([&](bu::LineValue& in) { isTrue = in.boolean(); }) == bu::Refusal::none) sameAgain([&] { text.boolean(isTrue); });
  uint32_t whole = 0;
  if (refusalOf([&](bu::LineValue& in) { whole = in.u32(); }) == bu::Refusal::none) sameAgain([&] { text.u32(whole); });
  int32_t signedWhole = 0;
  if (refusalOf([&](bu::LineValue& in) { signedWhole = in.i32(); }) == bu::Refusal::none) sameAgain([&] { text.i32(signedWhole); });
  bu::Rgb colour = {};
  if (refusalOf([&](bu::LineValue& in) { colour = in.rgb(); }) == bu::Refusal::none) sameAgain([&] { text.rgb(colour); });
  float real = 0;
  if (refusalOf([&](bu::LineValue& in) { real = in.f32(-200.0f, 200.0f); }) == bu::Refusal::none) {
    insist(real >= -200.0f && real <= 200.0f);
    sameAgain([&] { text.f32(real, -200.0f, 200.0f, 3); });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint8_t* octets = data + 1;
  const size_t length = size - 1;
  switch (data[0] % 7) {
    case 0:
      throughTheCodec<rain_barrel::Water>(octets, length);
      break;
    case 1:
      throughTheCodec<rain_barrel::WaterReply>(octets, length);
      break;
    case 2:
      throughTheCodec<rain_barrel::Stop>(octets, length);
      break;
    case 3:
      throughTheCodec<rain_barrel::Configure>(octets, length);
      break;
    case 4:
      throughTheCodec<rain_barrel::Level>(octets, length);
      break;
    case 5:
      throughTheCodec<rain_barrel::Valve>(octets, length);
      break;
    default:
      throughTheLine(octets, length);
  }
  return 0;
}
