/* Over MQTT a flow is a topic. */
#include <stdio.h>
#include <string.h>

#include "die.h"
#include "flow_protocol.h"
#include "mqtt_packets.h"

#define NAME_OCTETS 32

static size_t topic_of(char topic[NAME_OCTETS]) { return (size_t)snprintf(topic, NAME_OCTETS, "flow/%d", FLOW); }

static bool begin(struct links *links, struct link *link, bool is_subscriber) {
  char name[NAME_OCTETS];
  snprintf(name, sizeof name, "client-%05d", link->index);
  mqtt_connect(links, link, name);
  link->stage = is_subscriber;
  if (!is_subscriber) return true;
  topic_of(name);
  mqtt_subscribe(links, link, name);
  return true;
}

static size_t take(struct link *link, const uint8_t *octets, size_t length, struct flow_message *message) {
  struct mqtt_packet packet;
  const size_t used = mqtt_take(octets, length, &packet);
  if (used == 0) return 0;
  const bool is_subscriber = link->stage == 1;
  message->is_opening = packet.type == (is_subscriber ? MQTT_SUBACK : MQTT_CONNACK);
  if (packet.type != MQTT_PUBLISH) return used;
  if (packet.payload_length != FLOW_MESSAGE_OCTETS) die("%d got a payload of %zu", link->index, packet.payload_length);
  message->octets = packet.payload;
  return used;
}

static size_t publish(uint8_t *at, const uint8_t message[FLOW_MESSAGE_OCTETS]) {
  char topic[NAME_OCTETS];
  const size_t topic_length = topic_of(topic);
  size_t used = mqtt_write_head(at, MQTT_PUBLISH, 2 + topic_length + FLOW_MESSAGE_OCTETS);
  used += mqtt_write_text(at + used, topic, topic_length);
  memcpy(at + used, message, FLOW_MESSAGE_OCTETS);
  return used + FLOW_MESSAGE_OCTETS;
}

const struct flow_protocol mqtt_flows = {"mqtt", begin, take, publish};
