// Codec, hashes and line values, one command a line on stdin, one answer a line on stdout.
#include <bu_float.h>
#include <bu_hmac.h>
#include <bu_line_text.h>
#include <bu_line_value.h>
#include <bu_proof.h>
#include <bu_sha256.h>
#include <bu_utf8.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "every_type.h"

namespace {

using every_type::Mode;
using every_type::Sample;

const char modeNames[] = "drip,normal,flood";

const uint8_t* octetsOf(const std::string& text) { return reinterpret_cast<const uint8_t*>(text.data()); }

/** `-` stands for nothing at all. */
std::string fromHex(const std::string& digits) {
  std::string octets;
  for (size_t at = 0; digits != "-" && at + 1 < digits.size(); at += 2) {
    octets += static_cast<char>(std::strtoul(digits.substr(at, 2).c_str(), nullptr, 16));
  }
  return octets;
}

std::string toHex(const uint8_t* octets, size_t count) {
  static const char digits[] = "0123456789abcdef";
  std::string hex;
  for (size_t at = 0; at < count; ++at) {
    hex += digits[octets[at] >> 4];
    hex += digits[octets[at] & 15];
  }
  return hex;
}

template <size_t N>
std::string toHex(const bu::Text<N>& text) {
  return toHex(reinterpret_cast<const uint8_t*>(text.c_str()), text.length());
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  if (text == "-") return parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
  return parts;
}

float floatOf(const std::string& bits) {
  return bu::floatOf(static_cast<uint32_t>(std::strtoul(bits.c_str(), nullptr, 16)));
}

std::string codeOf(bu::Refusal refusal) {
  const bu::FlashText name = bu::nameOf(refusal);
  return std::string(name.at, name.length);
}

std::string shortest(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", static_cast<double>(value));
  return text;
}

std::string decodeSample(const std::string& octets) {
  bu::Reader in(octetsOf(octets), octets.size());
  Sample value;
  if (!decode(in, value)) {
    return "refused " + codeOf(in.refusal()) + " " + std::to_string(in.failedField());
  }
  std::ostringstream out;
  out << "values " << value.flag << ' ' << +value.small << ' ' << +value.tiny << ' ' << value.wide << ' '
      << value.offset << ' ' << value.count << ' ' << value.balance << ' ' << shortest(value.litres) << ' '
      << shortest(value.any) << ' ' << +value.light.red << ',' << +value.light.green << ',' << +value.light.blue << ' '
      << +static_cast<uint8_t>(value.mode) << " t" << toHex(value.label) << " b"
      << toHex(value.blob.octets(), value.blob.length()) << " [";
  for (const uint8_t bed : value.beds) out << +bed << ',';
  out << "] [";
  for (const float flow : value.flows) out << shortest(flow) << ',';
  out << "] [";
  for (const bu::Text<3>& name : value.names) out << 't' << toHex(name) << ',';
  out << ']';
  return out.str();
}

std::string encodeSample(std::istringstream& line) {
  Sample value;
  int flag = 0, small = 0, tiny = 0, mode = 0;
  std::string litres, any, light, label, blob, beds, flows, names;
  line >> flag >> small >> tiny >> value.wide >> value.offset >> value.count >> value.balance >> litres >> any >>
      light >> mode >> label >> blob >> beds >> flows >> names;
  value.flag = flag != 0;
  value.small = static_cast<uint8_t>(small);
  value.tiny = static_cast<int8_t>(tiny);
  value.litres = floatOf(litres);
  value.any = floatOf(any);
  const std::string colour = fromHex(light);
  value.light = {octetsOf(colour)[0], octetsOf(colour)[1], octetsOf(colour)[2]};
  value.mode = static_cast<Mode>(mode);
  const std::string labelOctets = fromHex(label);
  value.label.set(labelOctets.data(), labelOctets.size());
  const std::string blobOctets = fromHex(blob);
  value.blob.set(octetsOf(blobOctets), blobOctets.size());
  for (const std::string& bed : split(beds)) value.beds.add(static_cast<uint8_t>(std::atoi(bed.c_str())));
  for (const std::string& flow : split(flows)) value.flows.add(floatOf(flow));
  for (const std::string& name : split(names)) {
    // Each begins with a t, so that an empty one is there too.
    const std::string octets = fromHex(name.substr(1));
    bu::Text<3> text;
    text.set(octets.data(), octets.size());
    value.names.add(text);
  }
  uint8_t octets[256];
  bu::Writer out(octets, sizeof octets);
  if (!encode(out, value)) return "refused " + codeOf(out.refusal()) + " " + std::to_string(out.failedField());
  return "octets " + toHex(octets, out.length());
}

std::string printLine(std::istringstream& line) {
  std::string type, value;
  line >> type >> value;
  char memory[256];
  bu::LineText out(memory, sizeof memory);
  if (type == "bool") out.boolean(value == "1");
  if (type == "u8") out.u8(static_cast<uint8_t>(std::atoi(value.c_str())), 1, 100);
  if (type == "i32") out.i32(static_cast<int32_t>(std::atoll(value.c_str())), INT32_MIN, 100000);
  if (type == "u32") out.u32(static_cast<uint32_t>(std::strtoul(value.c_str(), nullptr, 10)));
  if (type == "rgb") {
    const std::string colour = fromHex(value);
    out.rgb({octetsOf(colour)[0], octetsOf(colour)[1], octetsOf(colour)[2]});
  }
  if (type == "oneOf") out.oneOf(static_cast<Mode>(std::atoi(value.c_str())), bu::flashText(modeNames));
  if (type == "text") {
    const std::string octets = fromHex(value);
    bu::Text<255> text;
    text.set(octets.data(), octets.size());
    out.text(text);
  }
  if (type == "f32") {
    int decimals = 0;
    line >> decimals;
    out.f32(floatOf(value), -every_type::largest, every_type::largest, static_cast<uint8_t>(decimals));
  }
  if (!out.isOk()) return "refused " + codeOf(out.refusal());
  out.end();
  return "line " + toHex(reinterpret_cast<const uint8_t*>(out.octets()), out.length());
}

std::string parseLine(std::istringstream& line) {
  std::string type, hex;
  line >> type >> hex;
  const std::string text = fromHex(hex);
  bu::LineValue in(text.data(), text.size());
  std::ostringstream out;
  if (type == "bool") out << in.boolean();
  if (type == "u8") out << +in.u8(1, 100);
  if (type == "i32") out << in.i32(INT32_MIN, 100000);
  if (type == "u32") out << in.u32();
  if (type == "f32") out << shortest(in.f32(static_cast<float>(-200.3), static_cast<float>(200.3)));
  if (type == "rgb") {
    const bu::Rgb colour = in.rgb();
    const uint8_t octets[3] = {colour.red, colour.green, colour.blue};
    out << '#' << toHex(octets, 3);
  }
  if (type == "oneOf") out << +static_cast<uint8_t>(in.oneOf<Mode>(bu::flashText(modeNames)));
  if (type == "text") {
    bu::Text<8> value;
    in.text(value);
    out << 't' << toHex(value);
  }
  return in.isOk() ? "value " + out.str() : "refused " + codeOf(in.refusal());
}

std::string answer(const std::string& command, std::istringstream& line) {
  std::string first, second;
  if (command == "sha") {
    line >> first >> second;
    const std::string octets = fromHex(first);
    const size_t cut = std::strtoul(second.c_str(), nullptr, 10);
    bu::Sha256 hash;
    hash.add(octets.data(), cut);
    hash.add(octets.data() + cut, octets.size() - cut);
    uint8_t digest[32];
    hash.finish(digest);
    return toHex(digest, sizeof digest);
  }
  if (command == "sha-million") {
    bu::Sha256 hash;
    const std::string thousand(1000, 'a');
    for (int count = 0; count < 1000; ++count) hash.add(thousand.data(), thousand.size());
    uint8_t digest[32];
    hash.finish(digest);
    return toHex(digest, sizeof digest);
  }
  if (command == "hmac") {
    line >> first >> second;
    const std::string key = fromHex(first);
    const std::string octets = fromHex(second);
    uint8_t digest[32];
    bu::hmac::begin(octetsOf(key), key.size());
    bu::hmac::add(octets.data(), octets.size());
    bu::hmac::finish(digest);
    return toHex(digest, sizeof digest);
  }
  if (command == "proof") {
    // Of the identity that the scripted port has: K and UID of the vectors.
    std::string kind;
    line >> kind >> first >> second;
    const std::string challenge = fromHex(first);
    const std::string nonce = fromHex(second);
    const auto derive = kind == "unit" ? bu::unitProof : kind == "base" ? bu::baseProof : bu::sessionKey;
    uint8_t digest[32];
    derive(octetsOf(challenge), octetsOf(nonce), digest);
    return toHex(digest, sizeof digest);
  }
  if (command == "tag") {
    int direction = 0;
    uint64_t counter = 0;
    line >> first >> direction >> counter >> second;
    const std::string key = fromHex(first);
    const std::string transmission = fromHex(second);
    uint8_t tag[bu::tagOctets];
    bu::tagOf(octetsOf(key), static_cast<bu::Direction>(direction), counter, octetsOf(transmission),
              transmission.size(), tag);
    return toHex(tag, sizeof tag);
  }
  if (command == "utf8") {
    line >> first;
    const std::string octets = fromHex(first);
    return bu::isUtf8(octetsOf(octets), octets.size()) ? "yes" : "no";
  }
  if (command == "cut") {
    line >> first;
    bu::Text<8> text;
    text.setCut(fromHex(first).c_str());
    return toHex(text);
  }
  if (command == "refused") {
    line >> first;
    const bu::Answer refused = bu::Answer::refused(fromHex(first).c_str());
    return toHex(reinterpret_cast<const uint8_t*>(refused.reason()), refused.reasonLength());
  }
  if (command == "decode") {
    line >> first;
    return decodeSample(fromHex(first));
  }
  if (command == "encode") return encodeSample(line);
  if (command == "print") return printLine(line);
  if (command == "parse") return parseLine(line);
  return "unknown";
}

}  // namespace

int main() {
  std::string text;
  while (std::getline(std::cin, text)) {
    std::istringstream line(text);
    std::string command;
    line >> command;
    std::cout << answer(command, line) << std::endl;
  }
  return 0;
}
