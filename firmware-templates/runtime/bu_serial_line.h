#pragma once

#include <stddef.h>
#include <stdint.h>

#include "bu_improv.h"
#include "bu_serial_frame.h"

namespace bu {

/** A UART, or what stands for one. Neither waits. */
struct Uart {
  /** Octets that have arrived, at most `capacity`; 0: none now. */
  size_t (*read)(uint8_t* to, size_t capacity);
  /** Octets taken, perhaps fewer than given, perhaps 0. */
  size_t (*write)(const uint8_t* from, size_t count);
};

/**
 * The serial line of a unit (wire/unit.md, "Serial"): a stream of octets for one slot out of frames, and packets of Improv
 * beside them. Its port calls `loop` in every loop, forwards a slot to it, and says `served` when the base there has
 * answered the hello.
 *
 * A session begins with a reset and the unit's initiation: again every 2 s while the unit has no session at all, at once
 * when the other side sends a reset. It ends (`lost`) with a reset from the other side, or with a frame that is none:
 * then a reset goes out. Octets outside of a session that are neither frame nor packet are noise, and ignored.
 *
 * Packets are found anywhere, behind noise too, but not while the base is served: nothing inside a command is ever taken
 * for one. What begins like a packet and is none in 1 s, or has a wrong check sum, is looked at as a frame.
 */
class SerialLine {
 public:
  static constexpr uint32_t baud = 115'200;
  /** Between two beginnings of a session that nobody answers. */
  static constexpr uint32_t againMs = 2'000;
  /** A packet must be whole in this. */
  static constexpr uint32_t packetMs = 1'000;

  constexpr explicit SerialLine(const Uart& uart) : uart_(uart) {}

  /** Takes what has arrived and writes what waits. */
  void loop(uint32_t now);

  /** A session may begin. `isServedElsewhere`: a base is served over another slot; then only when the other side asks. */
  bool isWaiting(bool isServedElsewhere) const;
  /** Nobody answered the beginning yet: the slot can make way for somebody who is there (`giveWay`). */
  bool isUnanswered() const { return state_ == State::begun; }
  /** The slot reads `lost`, if nobody has answered yet. */
  void giveWay();

  // What a port does with a slot (bu_port.h); `open` when it is accepted.
  void open();
  int read(uint8_t* to, size_t capacity);
  int write(const uint8_t* from, size_t count);
  bool isUnacknowledged() const { return outputEnd_ > outputStart_; }
  void close();
  /** The slot reads `lost` from now on, and the other side is told. */
  void drop();
  /** The base at the other end has answered the hello. */
  void served() { isServed_ = true; }

  /** A packet has come, which stays until `packetDone`. */
  bool hasPacket() const { return packetOctets_ > 0; }
  improv::Packet packet() const;
  void packetDone();
  /** Sends a whole packet, of at most `outputOctets`. False when there is no room for it now. */
  bool sendPacket(const uint8_t* packet, size_t count);

  /**
   * Text may be written to the UART now: no session is open over it, and nothing of ours is half written. The next frame
   * will have a `00` before it.
   */
  bool beginText();

  static constexpr size_t outputOctets = 128;

 private:
  enum class State : uint8_t {
    closed,
    /** The slot is taken, and nobody has answered yet. */
    begun,
    /** The slot is taken, and something came. */
    heard,
    /** The slot is taken, and of no use any more. */
    lost,
  };

  bool isHolding() const { return chunkEnd_ > 0 || packetOctets_ > 0; }
  void receive();
  void look();
  bool lookForPacket(size_t frameEnd);
  void takeFrame(size_t count);
  void takeOverlong();
  void dropInput(size_t count);
  void lose();
  void flush();
  void flushOutput();
  void send(const uint8_t* chunk, size_t count);

  /** The longest frame, with its `00`. */
  static constexpr size_t inputOctets = frameOctetsFor(maxChunkOctets);
  /** A chunk with its frame, and a mark before it. */
  static constexpr size_t maxSentChunk = outputOctets - frameOctetsFor(0) - 1;

  const Uart& uart_;
  uint32_t now_ = 0;
  /** When a session was begun or asked for. */
  uint32_t begunAt_ = 0;
  uint32_t packetAt_ = 0;
  State state_ = State::closed;
  /** Time to begin anew. */
  bool isDue_ = true;
  /** The other side sent a reset. */
  bool isAsked_ = false;
  bool isServed_ = false;
  bool needsReset_ = false;
  /** Something that is no frame was written since the last frame; at first it is what the chip says when it starts. */
  bool needsMark_ = true;
  /** More came than a frame has: noise up to the next `00`. */
  bool isOverlong_ = false;
  /** A packet was taken: its line end may follow. */
  bool isAfterPacket_ = false;
  /** What begins like a packet at `packetStart_` is not whole yet. */
  bool isPacketAwaited_ = false;
  /** Where a packet may begin: before it none does. */
  uint8_t packetStart_ = 0;
  /** Of a packet not yet taken, without its line end; 0: none. */
  uint8_t packetOctets_ = 0;
  /** A chunk not yet read, from here to there; 0: none. */
  uint8_t chunkStart_ = 0;
  uint8_t chunkEnd_ = 0;
  /** Where the octets begin that came behind that chunk or packet. */
  uint8_t rest_ = 0;
  uint8_t filled_ = 0;
  uint8_t outputStart_ = 0;
  uint8_t outputEnd_ = 0;
  uint8_t input_[inputOctets] = {};
  uint8_t output_[outputOctets] = {};
};

}  // namespace bu
