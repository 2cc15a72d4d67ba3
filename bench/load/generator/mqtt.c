/* Over MQTT an object asks on `q/<uid>` and hears on `a/<uid>`, the central hears `q/+`. */
#include <stdio.h>
#include <string.h>

#include "mqtt_packets.h"
#include "protocol.h"

#define TOPIC_OCTETS 32

static size_t name_of(char name[TOPIC_OCTETS], const char *before, int index) {
  return (size_t)(index == CENTRAL ? snprintf(name, TOPIC_OCTETS, "%s+", before)
                                   : snprintf(name, TOPIC_OCTETS, "%sobject-%05d", before, index));
}

static void begin(struct links *links, struct link *link) {
  char name[TOPIC_OCTETS];
  name_of(name, link->index == CENTRAL ? "central" : "", link->index);
  mqtt_connect(links, link, name);
  name_of(name, link->index == CENTRAL ? "q/" : "a/", link->index);
  mqtt_subscribe(links, link, name);
}

static size_t take(struct links *links, struct link *link, const uint8_t *octets, size_t length,
                   struct message *message) {
  (void)links;
  struct mqtt_packet packet;
  const size_t used = mqtt_take(octets, length, &packet);
  if (used == 0) return 0;
  if (packet.type == MQTT_SUBACK) message->kind = MESSAGE_OPENED;
  if (packet.type != MQTT_PUBLISH) return used;
  message->kind = link->index == CENTRAL ? MESSAGE_REQUEST : MESSAGE_RESPONSE;
  message->uid = packet.topic + 2;
  message->uid_length = packet.topic_length - 2;
  message->payload = packet.payload;
  message->payload_length = packet.payload_length;
  return used;
}

static void publish(struct links *links, struct link *link, const char *topic, size_t topic_length,
                    const uint8_t *payload, size_t length) {
  uint8_t head[MQTT_MOST_HEAD + 2 + TOPIC_OCTETS];
  size_t used = mqtt_write_head(head, MQTT_PUBLISH, 2 + topic_length + length);
  used += mqtt_write_text(head + used, topic, topic_length);
  link_append(links, link, head, used);
  link_append(links, link, payload, length);
}

static void request(struct links *links, struct link *object, const uint8_t *payload, size_t length) {
  char topic[TOPIC_OCTETS];
  publish(links, object, topic, name_of(topic, "q/", object->index), payload, length);
}

static void answer(struct links *links, struct link *central, const struct message *request) {
  char topic[TOPIC_OCTETS] = "a/";
  memcpy(topic + 2, request->uid, request->uid_length);
  publish(links, central, topic, 2 + request->uid_length, request->payload, request->payload_length);
}

const struct protocol mqtt_protocol = {"mqtt", begin, take, request, answer, NULL};
