// A unit and whatever a peer may do to it: octets, transmissions with a right tag, time, connections that break, take little
// or come beside the one that is served. Input: steps, each an octet that says which, and what it needs (`step` below).
//
// What must hold: no handler runs but for a transmission with a right tag; what the unit sends in a session is whole
// transmissions with right tags; no sanitizer complains.
#include <rain_barrel.h>
#include <stdlib.h>
#include <string.h>

#include <new>

namespace {

/** Connections at once, more than the unit has slots. */
constexpr uint8_t peers = 4;
constexpr size_t peerOctets = 1400;

void insist(bool isTrue) {
  if (!isTrue) abort();
}

struct Peer {
  bool isConnected;
  bool isWaiting;
  bool isBroken;
  /** Of its connection in the unit; noSlot: it is not accepted. */
  uint8_t slot;
  /** Octets that it still takes. */
  uint16_t room;
  uint16_t arrived;
  uint16_t written;
  uint8_t inbound[peerOctets];
  uint8_t outbound[peerOctets];
};

/** Everything that is not the unit itself; copied as a whole. */
struct World {
  uint32_t millis;
  uint32_t storedBoot;
  uint32_t draws;
  Peer all[peers];
  /** Who is in a session, and its tags; `peers`: nobody. */
  uint8_t served;
  uint8_t key[bu::hmac::octets];
  uint64_t sealed;
  uint64_t opened;
  uint32_t handled;
  bool isAsleep;
};

World world;

struct Barrel {
  static bu::Answer water(const rain_barrel::Water& command, rain_barrel::WaterReply& reply) {
    ++world.handled;
    reply.startedAt = world.millis;
    // More than four cannot be sent: the unit must refuse its own handler then.
    reply.queue = command.beds.count();
    return command.litres > 100.0f ? bu::Answer::refused("the barrel has a hundred litres, and not one more") : bu::Answer::ok();
  }
  static bu::Answer stop(const rain_barrel::Stop&) {
    ++world.handled;
    return bu::Answer::ok();
  }
  static bu::Answer configure(const rain_barrel::Configure& command) {
    ++world.handled;
    return bu::Answer::refused(command.label.c_str());
  }
};

using Unit = rain_barrel::Unit<Barrel>;
alignas(Unit) unsigned char unitOctets[sizeof(Unit)];
Unit& unit = *reinterpret_cast<Unit*>(unitOctets);

/** A unit in a session, and its world: where every input begins. */
unsigned char unitAtStart[sizeof(Unit)];
World worldAtStart;

Peer* peerIn(uint8_t slot) {
  for (Peer& peer : world.all) {
    if (peer.isConnected && peer.slot == slot) return &peer;
  }
  return nullptr;
}

}  // namespace

// Any function of key and octets does here; SHA-256 has tests of its own, and would take nearly all of the time.
namespace bu::hmac {

namespace {
uint64_t sum = 0;
}

void begin(const uint8_t* key, size_t keyLength) {
  sum = 0xcbf29ce484222325ull;
  add(key, keyLength);
}
void add(const void* from, size_t count) {
  for (size_t index = 0; index < count; ++index) {
    sum = (sum ^ static_cast<const uint8_t*>(from)[index]) * 0x100000001b3ull;
  }
}
void finish(uint8_t* to) {
  for (size_t index = 0; index < octets; ++index) {
    sum = (sum ^ index) * 0x100000001b3ull;
    to[index] = static_cast<uint8_t>(sum >> 32);
  }
}

}  // namespace bu::hmac

namespace bu::port {

void begin(const UnitDescription&) {}
void loop() {}
uint32_t millis() { return world.millis; }
void random(uint8_t* to, size_t count) {
  for (size_t index = 0; index < count; ++index) to[index] = static_cast<uint8_t>(world.draws++ * 7 + 1);
}
const Identity& identity() {
  static const Identity identity = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 'O', 'b', 'j', 'T', 'e', 's', 't'},
                                    {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
  return identity;
}
uint32_t storedBoot() { return world.storedBoot; }
bool storeBoot(uint32_t boot) {
  world.storedBoot = boot;
  return boot % 3 != 0;
}
uint8_t resetReason() { return 0; }
uint32_t freeHeap() { return 40'000; }
void restart() { world.isAsleep = true; }
void sleep(uint32_t) { world.isAsleep = true; }

bool isWaiting() {
  for (const Peer& peer : world.all) {
    if (peer.isWaiting) return true;
  }
  return false;
}
uint8_t accept() {
  uint8_t slot = 0;
  while (slot < slots && peerIn(slot) != nullptr) ++slot;
  if (slot == slots) return noSlot;
  for (Peer& peer : world.all) {
    if (!peer.isWaiting) continue;
    peer.isWaiting = false;
    peer.slot = slot;
    return slot;
  }
  return noSlot;
}
void welcomed(uint8_t slot) { insist(peerIn(slot) != nullptr); }

int read(uint8_t slot, uint8_t* to, size_t capacity) {
  Peer* peer = peerIn(slot);
  if (peer == nullptr || peer->isBroken) return lost;
  const size_t count = peer->arrived < capacity ? peer->arrived : capacity;
  memcpy(to, peer->inbound, count);
  peer->arrived = static_cast<uint16_t>(peer->arrived - count);
  memmove(peer->inbound, peer->inbound + count, peer->arrived);
  return static_cast<int>(count);
}

int write(uint8_t slot, const uint8_t* from, size_t count) {
  Peer* peer = peerIn(slot);
  if (peer == nullptr || peer->isBroken) return lost;
  size_t taken = count < peer->room ? count : peer->room;
  const size_t left = peerOctets - peer->written;
  if (taken > left) taken = left;
  memcpy(peer->outbound + peer->written, from, taken);
  peer->written = static_cast<uint16_t>(peer->written + taken);
  peer->room = static_cast<uint16_t>(peer->room - taken);
  return static_cast<int>(taken);
}
bool isUnacknowledged(uint8_t) { return false; }
void close(uint8_t slot, Ending) {
  Peer* peer = peerIn(slot);
  if (peer == nullptr) return;
  peer->isConnected = false;
  peer->slot = noSlot;
}
void log(LogLevel, const char*) {}

}  // namespace bu::port

namespace {

/** Octets of a whole transmission of a unit without its tag, or 0: more are needed. A unit sends no other. */
size_t lengthOf(const uint8_t* octets, size_t count) {
  switch (octets[0] >> 4) {
    case 1:
    case 2:
      return 1;
    case 3:
      return count < 6 ? 0 : 6 + static_cast<size_t>(octets[4] << 8 | octets[5]);
    case 4:
      return count < 7 ? 0 : 7 + static_cast<size_t>(octets[5] << 8 | octets[6]);
    case 15:
      return 2;
    default:
      abort();
  }
}

/** Takes what was written to a peer: in a session it must be whole transmissions with right tags. */
void takeOutput(uint8_t number) {
  Peer& peer = world.all[number];
  if (number != world.served) {
    peer.written = 0;
    return;
  }
  size_t at = 0;
  while (at < peer.written) {
    const size_t length = lengthOf(peer.outbound + at, static_cast<size_t>(peer.written - at));
    if (length == 0 || at + length + bu::tagOctets > peer.written) break;
    uint8_t tag[bu::tagOctets];
    bu::tagOf(world.key, bu::Direction::fromUnit, world.opened++, peer.outbound + at, length, tag);
    insist(memcmp(tag, peer.outbound + at + length, sizeof tag) == 0);
    at += length + bu::tagOctets;
  }
  peer.written = static_cast<uint16_t>(peer.written - at);
  memmove(peer.outbound, peer.outbound + at, peer.written);
}

void loopOnce() {
  if (world.isAsleep) return;
  unit.loop();
  for (uint8_t number = 0; number < peers; ++number) takeOutput(number);
}

void give(uint8_t number, const uint8_t* octets, size_t count) {
  Peer& peer = world.all[number];
  if (!peer.isConnected || peer.arrived + count > peerOctets) return;
  memcpy(peer.inbound + peer.arrived, octets, count);
  peer.arrived = static_cast<uint16_t>(peer.arrived + count);
}

/** A transmission with its tag from the base that is served; `spoil`: which bit of the tag is wrong, 0: none. */
void giveSealed(const uint8_t* transmission, size_t length, uint8_t spoil = 0) {
  if (world.served == peers || length > 600) return;
  uint8_t octets[600 + bu::tagOctets];
  if (length > 0) memcpy(octets, transmission, length);
  bu::tagOf(world.key, bu::Direction::fromBase, world.sealed++, octets, length, octets + length);
  octets[length + spoil / 8 % bu::tagOctets] ^= static_cast<uint8_t>(spoil == 0 ? 0 : 1u << spoil % 8);
  give(world.served, octets, length + bu::tagOctets);
}

void connect(uint8_t number) {
  Peer& peer = world.all[number];
  if (peer.isConnected) return;
  if (number == world.served) world.served = peers;
  peer = Peer();
  peer.isConnected = peer.isWaiting = true;
  peer.slot = bu::port::noSlot;
  peer.room = peerOctets;
}

/** Does the whole opening as a base that has the key; true when the unit took it. */
bool openProperly(uint8_t number) {
  connect(number);
  Peer& peer = world.all[number];
  // Whoever is in its opening before has its time.
  for (int turn = 0; turn < 4 && peer.written < 4; ++turn) unit.loop();
  if (peer.written != 4) return false;
  static const uint8_t rule[2 + bu::nonceOctets] = {0x80, 0x02, 9, 9, 9};
  give(number, rule, sizeof rule);
  unit.loop();
  const uint8_t* answer = peer.outbound + 4;
  if (peer.written != 4 + bu::uidOctets + bu::hmac::octets + bu::nonceOctets) return false;
  const uint8_t* nonce = answer + bu::uidOctets + bu::hmac::octets;
  uint8_t proof[bu::hmac::octets];
  bu::unitProof(rule + 2, nonce, proof);
  insist(memcmp(proof, answer + bu::uidOctets, sizeof proof) == 0);
  uint8_t verdict[1 + bu::hmac::octets] = {0x01};
  bu::baseProof(rule + 2, nonce, verdict + 1);
  uint8_t key[bu::hmac::octets];
  bu::sessionKey(rule + 2, nonce, key);
  if (world.served != peers) takeOutput(world.served);
  peer.written = 0;
  give(number, verdict, sizeof verdict);
  // From here what it writes is under the new key, a goodbye to one too many as well.
  world.served = number;
  memcpy(world.key, key, sizeof key);
  world.sealed = world.opened = 0;
  loopOnce();
  return peer.isConnected;
}

/** As an answer to the hello, whose tracking number is the last request's. */
void welcome(uint16_t tracking) {
  uint8_t answer[7 + 24] = {0x40, static_cast<uint8_t>(tracking >> 8), static_cast<uint8_t>(tracking), 0, 1, 0, 24, 0};
  answer[7 + 9 + 7] = 1;
  giveSealed(answer, sizeof answer);
}

class Steps {
 public:
  Steps(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}
  bool isDone() const { return at_ == end_; }
  uint8_t octet() { return at_ == end_ ? 0 : *at_++; }
  uint16_t number() {
    const uint16_t high = octet();
    return static_cast<uint16_t>(high << 8 | octet());
  }
  /** At most so many as are left. */
  const uint8_t* take(size_t& count) {
    const size_t left = static_cast<size_t>(end_ - at_);
    if (count > left) count = left;
    const uint8_t* taken = at_;
    at_ += count;
    return taken;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

void report(uint8_t octet) {
  if (octet % 2 == 0) {
    rain_barrel::Level level;
    level.litres = static_cast<float>(octet);
    for (uint8_t flows = octet % 6; flows > 0; --flows) level.flow.add(1.0f);
    unit.report(level);
  } else {
    rain_barrel::Valve valve;
    valve.note.setCut("a note that is as long as a note may be, and then a little longer");
    unit.report(valve);
  }
}

void step(Steps& steps) {
  const uint8_t what = steps.octet();
  const uint8_t number = (what >> 4) % peers;
  switch (what & 0x0f) {
    case 0: {
      size_t count = steps.octet();
      const uint8_t* octets = steps.take(count);
      const uint32_t before = world.handled;
      // Octets of a stranger, or broken ones in a session: no handler may run for them.
      const bool isClean = world.served == peers || world.all[world.served].arrived == 0;
      give(number, octets, count);
      loopOnce();
      insist(!isClean || world.handled == before);
      break;
    }
    case 1: {
      size_t count = steps.octet();
      const uint8_t* transmission = steps.take(count);
      giveSealed(transmission, count);
      loopOnce();
      break;
    }
    case 2:
    case 13: {
      // A command: its number, id and fields; the second with a wrong tag.
      const uint8_t spoil = (what & 0x0f) == 2 ? 0 : static_cast<uint8_t>(1 + steps.octet() % 63);
      size_t count = 5 + steps.octet() % 64;
      const uint8_t* data = steps.take(count);
      uint8_t request[6 + 5 + 64] = {0x30, 0x12, number, 0x01, 0, static_cast<uint8_t>(count)};
      memcpy(request + 6, data, count);
      // What came before and was not looked at yet may still run.
      for (int turn = 0; spoil != 0 && turn < 300; ++turn) loopOnce();
      const uint32_t handled = world.handled;
      giveSealed(request, 6 + count, spoil);
      loopOnce();
      insist(spoil == 0 || world.handled == handled);
      break;
    }
    case 3:
      world.millis += steps.number();
      loopOnce();
      break;
    case 4:
      world.millis += static_cast<uint32_t>(steps.number()) << 16;
      loopOnce();
      break;
    case 5:
      world.all[number].room = static_cast<uint16_t>(steps.octet());
      loopOnce();
      break;
    case 6:
      world.all[number].room = peerOctets;
      loopOnce();
      break;
    case 7:
      world.all[number].isBroken = true;
      loopOnce();
      break;
    case 8:
      connect(number);
      loopOnce();
      break;
    case 9:
      if (!world.all[number].isConnected && openProperly(number)) welcome(steps.number());
      loopOnce();
      break;
    case 10:
      report(steps.octet());
      loopOnce();
      break;
    case 11: {
      // An answer to a request that it may have sent: its number, code and data.
      const uint16_t tracking = steps.number();
      size_t count = steps.octet() % 32;
      uint8_t answer[7 + 32] = {0x40, static_cast<uint8_t>(tracking >> 8), static_cast<uint8_t>(tracking), steps.octet(), 1, 0, static_cast<uint8_t>(count)};
      const uint8_t* data = steps.take(count);
      answer[6] = static_cast<uint8_t>(count);
      memcpy(answer + 7, data, count);
      giveSealed(answer, 7 + count);
      loopOnce();
      break;
    }
    case 12:
      unit.log(static_cast<bu::LogLevel>(steps.octet() % 4), "a line of the unit's log");
      loopOnce();
      break;
    default:
      loopOnce();
  }
}

/** The first tracking number, from the random octets that `begin` drew: the fifth and the sixth. */
constexpr uint16_t firstTracking = static_cast<uint16_t>((4 * 7 + 1) | (5 * 7 + 1) << 8);

bool prepare() {
  memset(&world, 0, sizeof world);
  world.served = peers;
  new (unitOctets) Unit();
  unit.begin();
  insist(openProperly(0));
  welcome(firstTracking);
  loopOnce();
  insist(unit.isServed());
  memcpy(unitAtStart, unitOctets, sizeof unitAtStart);
  worldAtStart = world;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const bool isPrepared = prepare();
  insist(isPrepared);
  memcpy(unitOctets, unitAtStart, sizeof unitAtStart);
  world = worldAtStart;
  Steps steps(data, size);
  while (!steps.isDone()) step(steps);
  return 0;
}
