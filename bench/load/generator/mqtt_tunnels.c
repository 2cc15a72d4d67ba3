/* Over MQTT each end hears a topic of its own, and publishes on the other's. */
#include <stdio.h>
#include <string.h>

#include "die.h"
#include "mqtt_packets.h"
#include "tunnel_protocol.h"

#define NAME_OCTETS 32

static size_t topic_of(char topic[NAME_OCTETS], int index) {
  return (size_t)snprintf(topic, NAME_OCTETS, "end/%05d", index);
}

static bool begin(struct links *links, struct link *link) {
  char name[NAME_OCTETS];
  topic_of(name, link->index);
  mqtt_connect(links, link, name);
  mqtt_subscribe(links, link, name);
  return true;
}

static size_t take(struct links *links, struct link *link, const uint8_t *octets, size_t length, size_t payload_length,
                   struct tunnel_message *message) {
  (void)links;
  struct mqtt_packet packet;
  const size_t used = mqtt_take(octets, length, &packet);
  if (used == 0) return 0;
  message->is_opening = packet.type == MQTT_SUBACK;
  if (packet.type != MQTT_PUBLISH) return used;
  if (packet.payload_length != payload_length) die("%d got a payload of %zu", link->index, packet.payload_length);
  message->payload = packet.payload;
  return used;
}

static void say(struct links *links, struct link *link, const uint8_t *payload, size_t length) {
  char topic[NAME_OCTETS];
  const size_t topic_length = topic_of(topic, link->index ^ 1);
  uint8_t head[MQTT_MOST_HEAD + 2 + NAME_OCTETS];
  size_t used = mqtt_write_head(head, MQTT_PUBLISH, 2 + topic_length + length);
  used += mqtt_write_text(head + used, topic, topic_length);
  link_append(links, link, head, used);
  link_append(links, link, payload, length);
}

const struct tunnel_protocol mqtt_tunnels = {"mqtt", begin, take, say};
