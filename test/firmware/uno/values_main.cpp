// Values as text, on the chip itself: a line in, a line out. The first letter says what is asked.
//
//   F BITS DIGITS   an f32, by its bits in hex, printed with so many digits behind the point
//   f TEXT          an f32 out of text, as its bits in hex
//   i TEXT, u TEXT  an i32 or u32 out of text and printed again
//   c TEXT          a colour, o TEXT a choice, b TEXT a bool, t TEXT text of at most 40 octets: the same
//   s TEXT          text printed where 8 octets have room
//
// What is refused is answered with `!` and the refusal's name.
#include <Arduino.h>
#include <baseunit_line.h>
#include <bu_float.h>

namespace {

constexpr float largest = 3.4028235e38f;
constexpr char hex[] = "0123456789abcdef";

enum class Mode : uint8_t { drip, normal, flood };
const char modeNames[] BU_FLASH = "drip,normal,flood";

char heard[64];
bu::LineReader reader(heard, sizeof heard);
char memory[64];

uint32_t bitsAt(const char* digits) {
  uint32_t bits = 0;
  for (uint8_t index = 0; index < 8; ++index) {
    const char digit = digits[index];
    bits = (bits << 4) | static_cast<uint32_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
  }
  return bits;
}

bool say(bu::Refusal refusal) {
  if (refusal == bu::Refusal::none) return false;
  const bu::FlashText name = bu::nameOf(refusal);
  Serial.write('!');
  for (uint16_t index = 0; index < name.length; ++index) Serial.write(bu::octetFromFlash(name.at + index));
  Serial.write('\n');
  return true;
}

void say(bu::LineText& out) {
  out.end();
  if (say(out.refusal())) return;
  Serial.write(out.octets(), out.length());
}

void sayBits(float value) {
  const uint32_t bits = bu::bitsOf(value);
  for (int8_t at = 28; at >= 0; at = static_cast<int8_t>(at - 4)) Serial.write(hex[(bits >> at) & 15]);
  Serial.write('\n');
}

void answer(char what, const char* text, size_t length) {
  bu::LineText out(memory, what == 's' ? 8 : sizeof memory);
  bu::LineValue in(text, length);
  if (what == 'F') {
    out.f32(bu::floatOf(bitsAt(text)), -largest, largest, static_cast<uint8_t>(text[9] - '0'));
  } else if (what == 'f') {
    const float value = in.f32(-largest, largest);
    if (!say(in.refusal())) sayBits(value);
    return;
  } else if (what == 'i') {
    out.i32(in.i32());
  } else if (what == 'u') {
    out.u32(in.u32());
  } else if (what == 'c') {
    out.rgb(in.rgb());
  } else if (what == 'o') {
    out.oneOf(in.oneOf<Mode>(bu::flashText(modeNames)), bu::flashText(modeNames));
  } else if (what == 'b') {
    out.boolean(in.boolean());
  } else {
    bu::Text<40> value;
    in.text(value);
    out.text(value);
  }
  if (!say(in.refusal())) say(out);
}

}  // namespace

void setup() { Serial.begin(115200); }

void loop() {
  while (Serial.available() > 0) {
    if (!reader.push(static_cast<char>(Serial.read()))) continue;
    if (reader.length() >= 2) answer(reader.line()[0], reader.line() + 2, reader.length() - 2);
  }
}
