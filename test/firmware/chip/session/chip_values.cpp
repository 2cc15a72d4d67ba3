#include "chip_values.h"

#include <bu_float.h>
#include <bu_hmac.h>
#include <bu_line_text.h>
#include <bu_line_value.h>
#include <bu_port.h>
#include <bu_proof.h>
#include <bu_sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chip_world.h"

namespace chip {

namespace {

enum class Mode : uint8_t { drip, normal, flood };
const char modeNames[] BU_FLASH = "drip,normal,flood";

uint8_t first[2048];
uint8_t second[2048];

void answerRefusal(bu::Refusal refusal) {
  const bu::FlashText name = bu::nameOf(refusal);
  printf("refused ");
  for (uint16_t index = 0; index < name.length; ++index) printf("%c", bu::octetFromFlash(name.at + index));
}

void answerSha(Token token) {
  const size_t count = octetsOf(token(), first, sizeof first);
  bu::Sha256 hash;
  hash.add(first, count);
  uint8_t digest[bu::Sha256::digestOctets];
  hash.finish(digest);
  putOctets(digest, sizeof digest);
}

void answerHmac(Token token) {
  const size_t keyCount = octetsOf(token(), first, sizeof first);
  const size_t count = octetsOf(token(), second, sizeof second);
  uint8_t digest[bu::hmac::octets];
  bu::hmac::begin(first, keyCount);
  bu::hmac::add(second, count);
  bu::hmac::finish(digest);
  putOctets(digest, sizeof digest);
}

void answerProof(Token token) {
  const char* kind = token();
  octetsOf(token(), first, sizeof first);
  octetsOf(token(), second, sizeof second);
  const auto derive = strcmp(kind, "unit") == 0 ? bu::unitProof : strcmp(kind, "base") == 0 ? bu::baseProof : bu::sessionKey;
  uint8_t digest[bu::hmac::octets];
  derive(first, second, digest);
  putOctets(digest, sizeof digest);
}

void answerTag(Token token) {
  octetsOf(token(), first, sizeof first);
  const uint8_t direction = static_cast<uint8_t>(strtoul(token(), nullptr, 10));
  const uint64_t counter = strtoull(token(), nullptr, 10);
  const size_t count = octetsOf(token(), second, sizeof second);
  uint8_t tag[bu::tagOctets];
  bu::tagOf(first, static_cast<bu::Direction>(direction), counter, second, count, tag);
  putOctets(tag, sizeof tag);
}

void answerPrint(Token token) {
  const char* type = token();
  const char* value = token();
  char text[300];
  bu::LineText out(text, sizeof text);
  if (strcmp(type, "bool") == 0) out.boolean(value[0] == '1');
  if (strcmp(type, "i32") == 0) out.i32(static_cast<int32_t>(strtol(value, nullptr, 10)));
  if (strcmp(type, "u32") == 0) out.u32(static_cast<uint32_t>(strtoul(value, nullptr, 10)));
  if (strcmp(type, "oneOf") == 0) {
    out.oneOf(static_cast<Mode>(strtoul(value, nullptr, 10)), bu::flashText(modeNames));
  }
  if (strcmp(type, "f32") == 0) {
    const float number = bu::floatOf(static_cast<uint32_t>(strtoul(value, nullptr, 16)));
    out.f32(number, -3.4028234663852886e38f, 3.4028234663852886e38f,
            static_cast<uint8_t>(strtoul(token(), nullptr, 10)));
  }
  if (!out.isOk()) return answerRefusal(out.refusal());
  printf("line ");
  putOctets(reinterpret_cast<const uint8_t*>(out.octets()), out.length());
}

void answerParse(Token token) {
  const char* type = token();
  const size_t count = octetsOf(token(), first, sizeof first);
  bu::LineValue in(reinterpret_cast<const char*>(first), count);
  uint32_t value = 0;
  if (strcmp(type, "bool") == 0) value = in.boolean() ? 1 : 0;
  if (strcmp(type, "i32") == 0) value = static_cast<uint32_t>(in.i32(INT32_MIN, 100'000));
  if (strcmp(type, "u32") == 0) value = in.u32();
  if (strcmp(type, "oneOf") == 0) value = static_cast<uint32_t>(in.oneOf<Mode>(bu::flashText(modeNames)));
  if (strcmp(type, "f32") == 0) value = bu::bitsOf(in.f32(-200.3f, 200.3f));
  if (strcmp(type, "rgb") == 0) {
    const bu::Rgb colour = in.rgb();
    value = static_cast<uint32_t>(colour.red << 16 | colour.green << 8 | colour.blue);
  }
  if (!in.isOk()) return answerRefusal(in.refusal());
  printf("value %08lx", static_cast<unsigned long>(value));
}

}  // namespace

bool answerValue(const char* command, Token token) {
  const auto is = [command](const char* name) { return strcmp(command, name) == 0; };
  if (is("sha")) {
    answerSha(token);
  } else if (is("hmac")) {
    answerHmac(token);
  } else if (is("proof")) {
    answerProof(token);
  } else if (is("tag")) {
    answerTag(token);
  } else if (is("print")) {
    answerPrint(token);
  } else if (is("parse")) {
    answerParse(token);
  } else {
    return false;
  }
  return true;
}

}  // namespace chip
