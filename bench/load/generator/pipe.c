/* The plain pipe's own protocol: a first line with the number of the pair, which is answered with a line when the other end
   is there as well. Behind it everything goes to the other end: as it is, or out of Elfin's `data`. */
#include <stdio.h>

#include "die.h"
#include "tunnel_protocol.h"

enum { ASKED, OPEN };

static bool begin(struct links *links, struct link *link) {
  char text[16];
  link_append(links, link, text, (size_t)snprintf(text, sizeof text, "%d\n", PAIR_OF(link)));
  /* Nobody is there yet for the first to wait for. */
  return IS_ASKING(link);
}

static size_t take(struct links *links, struct link *link, const uint8_t *octets, size_t length, size_t payload_length,
                   struct tunnel_message *message) {
  (void)links;
  if (link->stage == OPEN) {
    if (length < payload_length) return 0;
    message->payload = octets;
    return payload_length;
  }
  if (octets[0] != '\n') die("%d was answered %02x", link->index, octets[0]);
  link->stage = OPEN;
  message->is_opening = IS_ASKING(link);
  return 1;
}

static void say(struct links *links, struct link *link, const uint8_t *payload, size_t length) {
  link_append(links, link, payload, length);
}

const struct tunnel_protocol pipe_tunnels = {"pipe", begin, take, say};
const struct tunnel_protocol pipe_line_tunnels = {"pipe-line", begin, take, say_elfin_line};
