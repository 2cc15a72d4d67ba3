#pragma once

#include <stddef.h>
#include <stdint.h>

#include "link.h"

enum message_kind {
  /* Octets were used; there is nothing to do. */
  MESSAGE_NOTHING,
  /* The connection can be used. */
  MESSAGE_OPENED,
  MESSAGE_REQUEST,
  MESSAGE_RESPONSE,
  MESSAGE_PING,
  MESSAGE_PONG,
  MESSAGE_TOKEN,
  MESSAGE_TELEMETRY,
};

/* One message as it came. Pointers are into the octets it was taken from. */
struct message {
  enum message_kind kind;
  /* Of a request at the central: the object's name, as the protocol writes it. */
  const uint8_t *uid;
  size_t uid_length;
  uint16_t tracking;
  /* Not 0: the answer is a refusal. */
  unsigned code;
  const uint8_t *payload;
  size_t payload_length;
};

/* One of the protocols that objects and a central are played in. */
struct protocol {
  const char *name;
  /* Begins the opening of a connection that has just been made. */
  void (*begin)(struct links *links, struct link *link);
  /* Takes the message at the front. Gives the octets used, 0 when more are needed. Ends the program at a fault. */
  size_t (*take)(struct links *links, struct link *link, const uint8_t *octets, size_t length, struct message *message);
  /* Object → central. */
  void (*request)(struct links *links, struct link *object, const uint8_t *payload, size_t length);
  /* Central → object, with the request's payload. */
  void (*answer)(struct links *links, struct link *central, const struct message *request);
  /* Answers a ping. NULL: the protocol's servers ask nothing. */
  void (*pong)(struct links *links, struct link *link);
};

extern const struct protocol iotsocket_protocol;
extern const struct protocol mqtt_protocol;
extern const struct protocol nats_protocol;
extern const struct protocol websocket_protocol;

/* By its name; ends the program when there is none. */
const struct protocol *protocol_named(const char *name);

/* Reads once and hands over every whole message. Ends the program when the other side has closed. */
void link_take(const struct protocol *protocol, struct links *links, struct link *link,
               void (*hear)(struct link *link, const struct message *message));

/* Connects the central (first) and `objects` objects, and returns when all can be used. `heard` is of any message. */
void open_all(const struct protocol *protocol, struct links *links, struct link *central, struct link *objects, int count,
              int port, void (*hear)(struct link *link, const struct message *message));
