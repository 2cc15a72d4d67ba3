#include "iotsocket.h"

#include <stdio.h>
#include <string.h>

#include "die.h"
#include "octets.h"
#include "protocol.h"
#include "sha256.h"

#define KEY_OCTETS 16
#define CHALLENGE_OCTETS 16
#define WITH_UID 0x08

enum { INITIATED, ACCEPTED, ANSWERED, OPEN };
enum { PING = 1, PONG = 2, REQUEST = 3, RESPONSE = 4, TOKEN = 5, TELEMETRY = 6, CLOSE = 15 };

void write_uid(uint8_t uid[UID_OCTETS], int index) {
  memset(uid, 0, UID_OCTETS);
  if (index == CENTRAL) return;
  char text[UID_OCTETS + 1];
  const int length = snprintf(text, sizeof text, "object-%05u", (unsigned)index % 100000);
  memcpy(uid + UID_OCTETS - length, text, (size_t)length);
}

void write_block_head(uint8_t head[BLOCK_HEAD_OCTETS], size_t length) {
  head[0] = 0;
  put_u16(head + 1, (unsigned)length);
}

static void send_octet(struct links *links, struct link *link, uint8_t octet) { link_append(links, link, &octet, 1); }
void send_ping(struct links *links, struct link *link) { send_octet(links, link, PING << 4); }
void send_pong(struct links *links, struct link *link) { send_octet(links, link, PONG << 4); }

/* v1.01, without TLS, any length of transmission. */
static void begin(struct links *links, struct link *link) {
  static const uint8_t initiation[4] = {1, 0, 0, 0};
  link_append(links, link, initiation, sizeof initiation);
}

static size_t take_opening(struct links *links, struct link *link, const uint8_t *octets, size_t length,
                           struct message *message) {
  if (link->stage == INITIATED) {
    if (length < 2) return 0;
    if (octets[0] != 0x80) die("the initiation of %d was answered %02x%02x", link->index, octets[0], octets[1]);
    link->stage = ACCEPTED;
    return 2;
  }
  if (link->stage == ACCEPTED) {
    if (length < CHALLENGE_OCTETS) return 0;
    uint8_t answer[UID_OCTETS + SHA256_OCTETS];
    write_uid(answer, link->index);
    const char *key = link->index == CENTRAL ? CENTRAL_KEY : OBJECT_KEY;
    hmac_sha256(key, KEY_OCTETS, octets, CHALLENGE_OCTETS, answer + UID_OCTETS);
    link_append(links, link, answer, sizeof answer);
    link->stage = ANSWERED;
    return CHALLENGE_OCTETS;
  }
  if (octets[0] != 1) die("%d was not authenticated", link->index);
  link->stage = OPEN;
  message->kind = MESSAGE_OPENED;
  return 1;
}

/* A payload block behind `head` octets; 0 while it is not whole. */
static size_t take_block(const uint8_t *octets, size_t length, size_t head, struct message *message) {
  if (length < head + BLOCK_HEAD_OCTETS) return 0;
  const size_t size = get_u16(octets + head + 1), used = head + BLOCK_HEAD_OCTETS + size;
  if (length < used) return 0;
  message->payload = octets + head + BLOCK_HEAD_OCTETS;
  message->payload_length = size;
  return used;
}

static size_t take(struct links *links, struct link *link, const uint8_t *octets, size_t length,
                   struct message *message) {
  if (link->stage != OPEN) return take_opening(links, link, octets, length, message);
  const int type = octets[0] >> 4;
  const size_t head = octets[0] & WITH_UID ? 1 + UID_OCTETS : 1;
  message->uid = octets + 1;
  message->uid_length = head - 1;
  switch (type) {
    case PING:
      message->kind = MESSAGE_PING;
      return 1;
    case PONG:
      message->kind = MESSAGE_PONG;
      return 1;
    case REQUEST:
    case RESPONSE: {
      const size_t numbers = type == REQUEST ? 2 : 3;
      const size_t used = take_block(octets, length, head + numbers, message);
      if (used == 0) return 0;
      message->kind = type == REQUEST ? MESSAGE_REQUEST : MESSAGE_RESPONSE;
      message->tracking = (uint16_t)get_u16(octets + head);
      message->code = type == REQUEST ? 0 : octets[head + 2];
      return used;
    }
    case TOKEN:
      if (length < 1 + TOKEN_OCTETS) return 0;
      message->kind = MESSAGE_TOKEN;
      message->payload = octets + 1;
      message->payload_length = TOKEN_OCTETS;
      return 1 + TOKEN_OCTETS;
    case TELEMETRY: {
      const size_t used = take_block(octets, length, head, message);
      if (used > 0) message->kind = MESSAGE_TELEMETRY;
      return used;
    }
    case CLOSE:
      die("%d was told to close, code %02x", link->index, length > 1 ? octets[1] : 0);
    default:
      die("%d got a transmission that begins with %02x", link->index, octets[0]);
  }
}

static void request(struct links *links, struct link *object, const uint8_t *payload, size_t length) {
  uint8_t head[3 + BLOCK_HEAD_OCTETS] = {REQUEST << 4};
  object->tracking += 1;
  put_u16(head + 1, object->tracking);
  write_block_head(head + 3, length);
  link_append(links, object, head, sizeof head);
  link_append(links, object, payload, length);
}

static void answer(struct links *links, struct link *central, const struct message *request) {
  uint8_t head[1 + UID_OCTETS + 3 + BLOCK_HEAD_OCTETS] = {RESPONSE << 4 | WITH_UID};
  memcpy(head + 1, request->uid, UID_OCTETS);
  put_u16(head + 1 + UID_OCTETS, request->tracking);
  write_block_head(head + 1 + UID_OCTETS + 3, request->payload_length);
  link_append(links, central, head, sizeof head);
  link_append(links, central, request->payload, request->payload_length);
}

const struct protocol iotsocket_protocol = {"iotsocket", begin, take, request, answer, send_pong};
