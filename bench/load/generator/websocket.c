#define _GNU_SOURCE
/* Devices of a cloud connector: WebSockets (RFC 6455) that say who they are in a header, then nothing but pongs. There is
   no central here, so nothing is asked and nothing answered. */
#include <stdio.h>
#include <string.h>

#include "die.h"
#include "protocol.h"

#define REQUEST_OCTETS 256
/* FIN and the opcode. */
enum { PING = 0x89, PONG = 0x8a };
enum { ASKED, OPEN };

static void begin(struct links *links, struct link *link) {
  char request[REQUEST_OCTETS];
  const int length = snprintf(request, sizeof request,
                              "GET /connect HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "device_id: device-%05d\r\n\r\n",
                              link->index);
  link_append(links, link, request, (size_t)length);
}

static size_t take_upgrade(struct link *link, const uint8_t *octets, size_t length, struct message *message) {
  static const char switching[] = "HTTP/1.1 101 ", end[] = "\r\n\r\n";
  const uint8_t *at = memmem(octets, length, end, sizeof end - 1);
  if (at == NULL) return 0;
  if (memcmp(octets, switching, sizeof switching - 1) != 0) die("%d was answered %.40s", link->index, (const char *)octets);
  link->stage = OPEN;
  message->kind = MESSAGE_OPENED;
  return (size_t)(at - octets) + sizeof end - 1;
}

static size_t take(struct links *links, struct link *link, const uint8_t *octets, size_t length,
                   struct message *message) {
  (void)links;
  if (link->stage == ASKED) return take_upgrade(link, octets, length, message);
  if (length < 2) return 0;
  if (octets[0] != PING || octets[1] != 0) die("%d got a frame that begins with %02x%02x", link->index, octets[0], octets[1]);
  message->kind = MESSAGE_PING;
  return 2;
}

/* Clients mask what they send; of nothing there is nothing to mask. */
static void pong(struct links *links, struct link *link) {
  static const uint8_t frame[2 + 4] = {PONG, 0x80, 1, 2, 3, 4};
  link_append(links, link, frame, sizeof frame);
}

const struct protocol websocket_protocol = {"websocket", begin, take, NULL, NULL, pong};
