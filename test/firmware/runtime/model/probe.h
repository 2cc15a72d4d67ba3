// A unit for the runtime's own tests, written as the generator would write it: replies, a refusal with any text, a ring
// of three readings, a descriptor of more than one piece.
#pragma once

#include <baseunit.h>

namespace probe {

struct Count {
  static constexpr uint8_t number = 1;
  uint8_t by = 1;
};

struct CountReply {
  uint32_t total = 0;
  uint8_t by = 0;
};

struct Complain {
  static constexpr uint8_t number = 2;
  bu::Text<120> about;
};

struct Reading {
  static constexpr uint8_t number = 3;
  uint8_t value = 0;
};

inline bool decode(bu::Reader& in, Count& value) {
  in.field(0);
  value.by = in.u8(0, 9);
  return in.finish();
}

inline bool encode(bu::Writer& out, const CountReply& value) {
  out.field(0);
  out.u32(value.total);
  out.field(1);
  out.u8(value.by, 0, 8);
  return out.isOk();
}

inline bool decode(bu::Reader& in, Complain& value) {
  in.field(0);
  in.text(value.about);
  return in.finish();
}

inline bool encode(bu::Writer& out, const Reading& value) {
  out.field(0);
  out.u8(value.value, 0, 100);
  return out.isOk();
}

namespace detail {

static const char name[] BU_FLASH = "probe";
static const char version[] BU_FLASH = "0.0.1";
static const char fingerprint[] BU_FLASH = {1, 2, 3, 4, 5, 6, 7, 8};
static const char countNames[] BU_FLASH = "count\0by";
static const char countReplyNames[] BU_FLASH = "count reply\0total\0by";
static const char complainNames[] BU_FLASH = "complain\0about";

/** 1 300 octets: two whole pieces of 512 and a part of one. */
struct LongText {
  char octets[1301] = {};
  constexpr LongText() {
    for (size_t index = 0; index < 1300; ++index) octets[index] = static_cast<char>('a' + index % 26);
  }
};
inline constexpr LongText descriptor;

template <class Handlers>
bu::Answer dispatch(uint8_t number, bu::Reader& in, bu::Writer& out) {
  switch (number) {
    case Count::number: {
      Count command;
      if (!decode(in, command)) return bu::Answer::undecodable(in, bu::flashText(countNames));
      CountReply reply;
      const bu::Answer answer = Handlers::count(command, reply);
      if (answer.isOk() && !encode(out, reply)) return bu::Answer::unsendable(out, bu::flashText(countReplyNames));
      return answer;
    }
    case Complain::number: {
      Complain command;
      if (!decode(in, command)) return bu::Answer::undecodable(in, bu::flashText(complainNames));
      return Handlers::complain(command);
    }
    default:
      return bu::Answer::unknownMessage();
  }
}

inline const uint8_t* fingerprintOctets() { return reinterpret_cast<const uint8_t*>(fingerprint); }

}  // namespace detail

template <class Handlers>
class Unit : public bu::SessionUnit<3, 1, 121> {
 public:
  void begin() { this->start(description_); }

  bu::Refusal report(const Reading& value) { return this->send(Reading::number, value); }
  void skipTo(uint32_t sequence) { this->reports().skipTo(sequence); }

 private:
  static inline const bu::UnitDescription description_{
      bu::flashText(detail::name),
      bu::flashText(detail::version),
      bu::UnitKind::read,
      bu::flashText(detail::descriptor.octets),
      detail::fingerprintOctets(),
      &detail::dispatch<Handlers>,
      nullptr,
      0,
  };
};

}  // namespace probe
