#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "link.h"

/* A message as a subscriber gets it: three records of 1 024 octets, action, flow and data. MQTT has it as payload. */
#define FLOW_RECORD_OCTETS 1024
#define FLOW_MESSAGE_OCTETS (3 * FLOW_RECORD_OCTETS)
/* The flow that everybody publishes on and subscribes to. */
#define FLOW 42
/* Octets of a publication that come before or behind the message's own, at most. */
#define FLOW_MOST_ADDED 32

/* What a connection got. */
struct flow_message {
  /* It is known now that the connection can be used, and that its subscription holds. */
  bool is_opening;
  /* FLOW_MESSAGE_OCTETS of a publication, in the octets it was taken from; NULL: it is none. */
  const uint8_t *octets;
};

/* One of the protocols in which publications go to subscribers. */
struct flow_protocol {
  const char *name;
  /* Begins to subscribe, or to be a publisher. False: there is nothing to wait for. */
  bool (*begin)(struct links *links, struct link *link, bool is_subscriber);
  /* Takes what is at the front. Gives the octets used, 0 when more are needed. Ends the program at a fault. */
  size_t (*take)(struct link *link, const uint8_t *octets, size_t length, struct flow_message *message);
  /* The octets of a publication of this message; gives how many. */
  size_t (*publish)(uint8_t *at, const uint8_t message[FLOW_MESSAGE_OCTETS]);
};

extern const struct flow_protocol yamqtt_flows;
extern const struct flow_protocol mqtt_flows;

/* A message of YAMQTT with so much data (at most a record), all other octets 00. */
void write_flow_message(uint8_t message[FLOW_MESSAGE_OCTETS], char action, unsigned flow, const uint8_t *data,
                        size_t length);
