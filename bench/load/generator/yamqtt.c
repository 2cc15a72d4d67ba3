/* YAMQTT, as much of it as this needs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "flow_protocol.h"

/* Nothing answers a subscription. So a subscriber publishes once to itself, on a flow of its own, behind it. */
#define FIRST_OWN_FLOW 1000

enum { SUBSCRIBE = 's', PUBLISH = 'p', MESSAGE = 'm' };

void write_flow_message(uint8_t message[FLOW_MESSAGE_OCTETS], char action, unsigned flow, const uint8_t *data,
                        size_t length) {
  memset(message, 0, FLOW_MESSAGE_OCTETS);
  message[0] = (uint8_t)action;
  snprintf((char *)message + FLOW_RECORD_OCTETS, FLOW_RECORD_OCTETS, "%u", flow);
  if (length > 0) memcpy(message + 2 * FLOW_RECORD_OCTETS, data, length);
}

static void send_message(struct links *links, struct link *link, char action, unsigned flow) {
  uint8_t message[FLOW_MESSAGE_OCTETS];
  write_flow_message(message, action, flow, NULL, 0);
  link_append(links, link, message, sizeof message);
}

static bool begin(struct links *links, struct link *link, bool is_subscriber) {
  if (!is_subscriber) return false;
  const unsigned own = FIRST_OWN_FLOW + (unsigned)link->index;
  send_message(links, link, SUBSCRIBE, FLOW);
  send_message(links, link, SUBSCRIBE, own);
  send_message(links, link, PUBLISH, own);
  return true;
}

static size_t take(struct link *link, const uint8_t *octets, size_t length, struct flow_message *message) {
  if (length < FLOW_MESSAGE_OCTETS) return 0;
  const char *flow = (const char *)octets + FLOW_RECORD_OCTETS;
  if (octets[0] != MESSAGE)
    die("%d was sent %c %.5s: %.60s", link->index, octets[0], flow, octets + 2 * FLOW_RECORD_OCTETS);
  if (atoi(flow) == FIRST_OWN_FLOW + link->index)
    message->is_opening = true;
  else
    message->octets = octets;
  return FLOW_MESSAGE_OCTETS;
}

static size_t publish(uint8_t *at, const uint8_t message[FLOW_MESSAGE_OCTETS]) {
  memcpy(at, message, FLOW_MESSAGE_OCTETS);
  at[0] = PUBLISH;
  return FLOW_MESSAGE_OCTETS;
}

const struct flow_protocol yamqtt_flows = {"yamqtt", begin, take, publish};
