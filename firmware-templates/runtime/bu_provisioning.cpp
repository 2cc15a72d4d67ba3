#include "bu_provisioning.h"

#include <string.h>

#include "bu_proof.h"
#include "bu_utf8.h"

namespace bu {

using improv::Command;
using improv::Error;
using improv::State;
using improv::Type;

namespace {

/** Takes texts with their lengths out of an RPC, and knows whether they were there. */
class Fields {
 public:
  Fields(const uint8_t* at, size_t left) : at_(at), left_(left) {}

  template <size_t N>
  void text(Text<N>& to) {
    const uint8_t* length = octets(1);
    const uint8_t* octetsOfIt = length == nullptr ? nullptr : octets(*length);
    if (octetsOfIt == nullptr || !to.set(reinterpret_cast<const char*>(octetsOfIt), *length)) isRight_ = false;
  }
  void copy(uint8_t* to, size_t count) {
    const uint8_t* from = octets(count);
    if (from != nullptr) memcpy(to, from, count);
  }
  /** All were there, and nothing is left over. */
  bool isRight() const { return isRight_ && left_ == 0; }

 private:
  const uint8_t* octets(size_t count) {
    if (count > left_) isRight_ = false;
    if (!isRight_) return nullptr;
    const uint8_t* from = at_;
    at_ += count;
    left_ -= count;
    return from;
  }

  const uint8_t* at_;
  size_t left_;
  bool isRight_ = true;
};

/** Text without control characters: what a base shows, and takes into its configuration. */
bool isUid(const Text<uidOctets>& uid) {
  const uint8_t* octets = reinterpret_cast<const uint8_t*>(uid.c_str());
  for (size_t index = 0; index < uid.length(); ++index) {
    if (octets[index] < ' ' || octets[index] == 0x7f) return false;
  }
  return uid.length() > 0 && isUtf8(octets, uid.length());
}

bool isBaseAddress(const Text<maxBaseAddress>& base) {
  BaseAddress parsed;
  return base.length() == 0 || (strlen(base.c_str()) == base.length() && parseBaseAddress(base.c_str(), parsed));
}

void putText(improv::Builder& to, FlashText text) {
  to.put(static_cast<uint8_t>(text.length));
  for (uint16_t index = 0; index < text.length; ++index) to.put(octetFromFlash(text.at + index));
}

}  // namespace

void Provisioning::begin(const UnitDescription& description, bool isPowerUp, uint32_t now) {
  description_ = &description;
  isOpen_ = isPowerUp;
  now_ = startedAt_ = now;
  state_ = settings_.wifiName.length() > 0 ? State::provisioned : State::ready;
}

void Provisioning::loop(uint32_t now) {
  now_ = now;
  // Once and for all: the clock passes 2^32 and begins again.
  if (now - startedAt_ >= openMs) isOpen_ = false;
  if (line_.hasPacket()) {
    const improv::Packet packet = line_.packet();
    if (packet.type == Type::rpc) onRpc(packet);
    line_.packetDone();
  }
  say();
  // Each state is told, however fast the Wi-Fi is.
  if (state_ != State::provisioning || mustSayState_) return;
  checkWifi();
  say();
}

void Provisioning::onRpc(const improv::Packet& packet) {
  constexpr uint8_t headOctets = 2;
  if (error_ != Error::none) fail(Error::none);
  if (packet.length < headOctets || packet.data[1] != packet.length - headOctets) return fail(Error::invalidRpc);
  const uint8_t* data = packet.data + headOctets;
  const uint8_t length = packet.data[1];
  const Command command = static_cast<Command>(packet.data[0]);
  switch (command) {
    case Command::wifiSettings:
      return onWifiSettings(data, length);
    case Command::currentState:
      mustSayState_ = true;
      // A result tells what page to go to; there is none, and none is expected before the Wi-Fi is there.
      if (state_ == State::provisioned) succeed(command);
      return;
    case Command::deviceInformation:
      return succeed(command);
    case Command::identity:
      return onIdentity(data, length);
  }
  fail(Error::unknownRpc);
}

void Provisioning::onWifiSettings(const uint8_t* data, uint8_t length) {
  Fields fields(data, length);
  // Straight into the settings in use; what is in flash comes back when these do not work.
  fields.text(settings_.wifiName);
  fields.text(settings_.wifiPassword);
  if (!fields.isRight() || settings_.wifiName.length() == 0) {
    // What is being tried was in the settings, too.
    if (state_ == State::provisioning) return wifiFailed(Error::invalidRpc);
    restoreWifi();
    return fail(Error::invalidRpc);
  }
  become(State::provisioning);
  joiningAt_ = now_;
  hooks_.joinWifi(settings_);
}

void Provisioning::checkWifi() {
  const WifiState state = hooks_.wifiState();
  if (state == WifiState::joined) {
    if (!hooks_.store(settings_)) return wifiFailed(Error::unknown);
    become(State::provisioned);
    return succeed(Command::wifiSettings);
  }
  if (state == WifiState::refused || now_ - joiningAt_ >= joinMs) wifiFailed(Error::unableToConnect);
}

void Provisioning::wifiFailed(Error error) {
  restoreWifi();
  hooks_.joinWifi(settings_);
  fail(error);
}

/** The Wi-Fi that is in flash is the one in use again. */
void Provisioning::restoreWifi() {
  hooks_.read(settings_);
  become(settings_.wifiName.length() > 0 ? State::provisioned : State::ready);
}

/** It is told what it is already, as when only the Wi-Fi is to be told again. Whoever can say that has the key. */
bool Provisioning::isOurs(const uint8_t* data, uint8_t length) const {
  const uint8_t uidLength = settings_.uid.length();
  const uint8_t baseLength = settings_.base.length();
  if (!settings_.hasKey || length != 2 + uidLength + keyOctets + baseLength) return false;
  const uint8_t* key = data + 1 + uidLength;
  const uint8_t* base = key + keyOctets;
  return data[0] == uidLength && memcmp(data + 1, settings_.uid.c_str(), uidLength) == 0 &&
         equalInConstantTime(key, settings_.key, keyOctets) && base[0] == baseLength &&
         memcmp(base + 1, settings_.base.c_str(), baseLength) == 0;
}

void Provisioning::onIdentity(const uint8_t* data, uint8_t length) {
  if (isOurs(data, length)) return succeed(Command::identity);
  if (settings_.hasKey && !isOpen_) return fail(Error::notAuthorised);
  // Wi-Fi settings that are still being tried must not get into flash by this.
  if (state_ == State::provisioning) return fail(Error::unknown);
  Fields fields(data, length);
  fields.text(settings_.uid);
  fields.copy(settings_.key, keyOctets);
  fields.text(settings_.base);
  settings_.hasKey = true;
  const bool isRight = fields.isRight() && isUid(settings_.uid) && isBaseAddress(settings_.base);
  if (!isRight || !hooks_.store(settings_)) {
    hooks_.read(settings_);
    return fail(isRight ? Error::unknown : Error::invalidRpc);
  }
  hasNewIdentity_ = true;
  succeed(Command::identity);
}

void Provisioning::fail(Error error) {
  error_ = error;
  mustSayError_ = true;
  if (error != Error::none) mustSayResult_ = false;
}

void Provisioning::succeed(Command command) {
  answered_ = command;
  mustSayResult_ = true;
}

void Provisioning::become(State state) {
  if (state == state_) return;
  state_ = state;
  mustSayState_ = true;
}

void Provisioning::say() {
  if (mustSayError_) mustSayError_ = !sayOctet(Type::error, static_cast<uint8_t>(error_));
  if (!mustSayError_ && mustSayState_) mustSayState_ = !sayOctet(Type::state, static_cast<uint8_t>(state_));
  if (mustSayError_ || mustSayState_) return;
  if (mustSayResult_) mustSayResult_ = !sayResult();
  // Only when its answer is on the way: a port may start anew for it.
  if (!mustSayResult_ && hasNewIdentity_) {
    hasNewIdentity_ = false;
    hooks_.identityChanged();
  }
}

bool Provisioning::sayOctet(Type type, uint8_t octet) {
  uint8_t packet[improv::aroundOctets + 1];
  improv::Builder out(packet, type);
  out.put(octet);
  return line_.sendPacket(packet, out.finish());
}

bool Provisioning::sayResult() {
  constexpr size_t mostTexts = 4 + 32 + 24 + 16 + uidOctets;
  static_assert(improv::aroundOctets + 2 + mostTexts <= SerialLine::outputOctets, "a result is sent in one piece");
  uint8_t packet[SerialLine::outputOctets];
  improv::Builder out(packet, Type::result);
  out.put(static_cast<uint8_t>(answered_));
  out.put(0);
  if (answered_ == Command::deviceInformation) {
    putText(out, description_->name);
    putText(out, description_->version);
    putText(out, chip_);
    out.put(settings_.uid.length());
    out.put(settings_.uid.c_str(), settings_.uid.length());
  }
  out.set(1, static_cast<uint8_t>(out.dataLength() - 2));
  return line_.sendPacket(packet, out.finish());
}

}  // namespace bu
