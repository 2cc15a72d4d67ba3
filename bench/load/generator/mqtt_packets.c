/* MQTT 3.1.1, as much of it as this needs. */
#include "mqtt_packets.h"

#include <stdbool.h>
#include <string.h>

#include "die.h"
#include "octets.h"

#define LEVEL_3_1_1 4
#define CLEAN_SESSION 0x02
#define MOST_NAME 64

enum { CONNECT = 0x10, SUBSCRIBE = 0x82 };

size_t mqtt_write_head(uint8_t head[MQTT_MOST_HEAD], int type, size_t rest) {
  head[0] = (uint8_t)type;
  size_t used = 1;
  do {
    if (used == MQTT_MOST_HEAD) die("an MQTT packet is too long");
    head[used] = (uint8_t)(rest % 128 | (rest >= 128 ? 0x80 : 0));
    rest /= 128;
    used += 1;
  } while (rest > 0);
  return used;
}

size_t mqtt_write_text(uint8_t *at, const char *text, size_t length) {
  put_u16(at, (unsigned)length);
  memcpy(at + 2, text, length);
  return 2 + length;
}

static void send_packet(struct links *links, struct link *link, int type, const uint8_t *rest, size_t length) {
  uint8_t head[MQTT_MOST_HEAD];
  link_append(links, link, head, mqtt_write_head(head, type, length));
  link_append(links, link, rest, length);
}

void mqtt_connect(struct links *links, struct link *link, const char *client) {
  uint8_t rest[16 + MOST_NAME];
  if (strlen(client) > MOST_NAME) die("too long a name: %s", client);
  size_t length = mqtt_write_text(rest, "MQTT", 4);
  rest[length] = LEVEL_3_1_1;
  rest[length + 1] = CLEAN_SESSION;
  /* The server shall not end what is idle. */
  put_u16(rest + length + 2, 0);
  length += 4;
  length += mqtt_write_text(rest + length, client, strlen(client));
  send_packet(links, link, CONNECT, rest, length);
}

void mqtt_subscribe(struct links *links, struct link *link, const char *topic) {
  uint8_t rest[8 + MOST_NAME];
  if (strlen(topic) > MOST_NAME) die("too long a topic: %s", topic);
  put_u16(rest, 1);
  size_t length = 2;
  length += mqtt_write_text(rest + length, topic, strlen(topic));
  rest[length] = 0;
  send_packet(links, link, SUBSCRIBE, rest, length + 1);
}

size_t mqtt_take(const uint8_t *octets, size_t length, struct mqtt_packet *packet) {
  size_t head = 1, rest = 0;
  for (bool is_last = false; !is_last; head += 1) {
    if (head == MQTT_MOST_HEAD) die("an MQTT packet is too long");
    if (head >= length) return 0;
    rest |= (size_t)(octets[head] & 0x7f) << 7 * (head - 1);
    is_last = (octets[head] & 0x80) == 0;
  }
  if (length < head + rest) return 0;
  packet->type = octets[0] & 0xf0;
  switch (packet->type) {
    case MQTT_CONNACK:
      if (octets[head + 1] != 0) die("the MQTT server refused a connection: %d", octets[head + 1]);
      break;
    case MQTT_SUBACK:
      if (octets[head + 2] != 0) die("the MQTT server refused a subscription");
      break;
    case MQTT_PUBLISH:
      packet->topic = octets + head + 2;
      packet->topic_length = get_u16(octets + head);
      packet->payload = packet->topic + packet->topic_length;
      packet->payload_length = rest - 2 - packet->topic_length;
      break;
    default:
      die("the MQTT server sent %02x", octets[0]);
  }
  return head + rest;
}
