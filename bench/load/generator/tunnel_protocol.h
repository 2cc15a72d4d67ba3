#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link.h"

/* Links come in pairs: 2k asks, 2k + 1 answers. */
#define PAIR_OF(link) ((link)->index / 2)
#define IS_ASKING(link) ((link)->index % 2 == 0)

/* What one end of a tunnel got. */
struct tunnel_message {
  /* The connection can be used. */
  bool is_opening;
  /* As many octets as a payload has, in the octets it was taken from; NULL: it is none. */
  const uint8_t *payload;
};

/* One of the protocols in which the ends of a pair talk to each other. */
struct tunnel_protocol {
  const char *name;
  /* Begins; the end that answers comes first. False: there is nothing to wait for. */
  bool (*begin)(struct links *links, struct link *link);
  /* Takes what is at the front. Gives the octets used, 0 when more are needed. Ends the program at a fault. */
  size_t (*take)(struct links *links, struct link *link, const uint8_t *octets, size_t length, size_t payload_length,
                 struct tunnel_message *message);
  /* To the other end. */
  void (*say)(struct links *links, struct link *link, const uint8_t *payload, size_t length);
};

extern const struct tunnel_protocol elfin_line_tunnels;
extern const struct tunnel_protocol elfin_segment_tunnels;
extern const struct tunnel_protocol pipe_tunnels;
extern const struct tunnel_protocol pipe_line_tunnels;
extern const struct tunnel_protocol mqtt_tunnels;

/* Elfin's `data` in line framing, around a payload. */
void say_elfin_line(struct links *links, struct link *link, const uint8_t *payload, size_t length);
