/* MQTT 3.1.1 with QoS 0, as much of it as this needs: an object asks on `q/<uid>` and hears on `a/<uid>`, the central
   hears `q/+`. Packets are shorter than 16 384 octets. */
#include <stdio.h>
#include <string.h>

#include "die.h"
#include "octets.h"
#include "protocol.h"

#define LEVEL_3_1_1 4
#define CLEAN_SESSION 0x02
#define TOPIC_OCTETS 32

enum { CONNECT = 0x10, CONNACK = 0x20, PUBLISH = 0x30, SUBSCRIBE = 0x82, SUBACK = 0x90 };

/* A packet's head, then so many octets; gives the head's length. */
static size_t write_head(uint8_t *head, int type, size_t rest) {
  head[0] = (uint8_t)type;
  if (rest < 128) {
    head[1] = (uint8_t)rest;
    return 2;
  }
  head[1] = (uint8_t)(rest % 128 | 0x80);
  head[2] = (uint8_t)(rest / 128);
  return 3;
}

static void send_packet(struct links *links, struct link *link, int type, const uint8_t *rest, size_t length) {
  uint8_t head[3];
  link_append(links, link, head, write_head(head, type, length));
  link_append(links, link, rest, length);
}

static size_t write_text(uint8_t *at, const char *text, size_t length) {
  put_u16(at, (unsigned)length);
  memcpy(at + 2, text, length);
  return 2 + length;
}

static size_t name_of(char name[TOPIC_OCTETS], const char *before, int index) {
  return (size_t)(index == CENTRAL ? snprintf(name, TOPIC_OCTETS, "%s+", before)
                                   : snprintf(name, TOPIC_OCTETS, "%sobject-%05d", before, index));
}

static void begin(struct links *links, struct link *link) {
  char name[TOPIC_OCTETS];
  uint8_t connect[64], subscribe[64];
  size_t length = write_text(connect, "MQTT", 4);
  connect[length] = LEVEL_3_1_1;
  connect[length + 1] = CLEAN_SESSION;
  /* The server shall not end what is idle. */
  put_u16(connect + length + 2, 0);
  length += 4;
  length += write_text(connect + length, name, name_of(name, link->index == CENTRAL ? "central" : "", link->index));
  send_packet(links, link, CONNECT, connect, length);
  put_u16(subscribe, 1);
  length = 2;
  length += write_text(subscribe + length, name, name_of(name, link->index == CENTRAL ? "q/" : "a/", link->index));
  subscribe[length] = 0;
  send_packet(links, link, SUBSCRIBE, subscribe, length + 1);
}

static size_t take(struct links *links, struct link *link, const uint8_t *octets, size_t length,
                   struct message *message) {
  (void)links;
  if (length < 2) return 0;
  size_t head = 2, rest = octets[1];
  if (rest & 0x80) {
    if (length < 3) return 0;
    if (octets[2] & 0x80) die("an MQTT packet is too long");
    rest = (rest & 0x7f) + 128u * octets[2];
    head = 3;
  }
  if (length < head + rest) return 0;
  switch (octets[0] & 0xf0) {
    case CONNACK:
      if (octets[head + 1] != 0) die("the MQTT server refused %d: %d", link->index, octets[head + 1]);
      break;
    case SUBACK:
      if (octets[head + 2] != 0) die("the MQTT server refused a subscription");
      message->kind = MESSAGE_OPENED;
      break;
    case PUBLISH: {
      const size_t topic = get_u16(octets + head);
      message->kind = link->index == CENTRAL ? MESSAGE_REQUEST : MESSAGE_RESPONSE;
      message->uid = octets + head + 4;
      message->uid_length = topic - 2;
      message->payload = octets + head + 2 + topic;
      message->payload_length = rest - 2 - topic;
      break;
    }
    default:
      die("the MQTT server sent %02x", octets[0]);
  }
  return head + rest;
}

static void publish(struct links *links, struct link *link, const char *topic, size_t topic_length,
                    const uint8_t *payload, size_t length) {
  uint8_t head[3 + 2 + TOPIC_OCTETS];
  size_t used = write_head(head, PUBLISH, 2 + topic_length + length);
  used += write_text(head + used, topic, topic_length);
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
