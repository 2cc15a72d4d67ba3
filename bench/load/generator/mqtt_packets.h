#pragma once

#include <stddef.h>
#include <stdint.h>

#include "link.h"

enum { MQTT_CONNACK = 0x20, MQTT_PUBLISH = 0x30, MQTT_SUBACK = 0x90 };

/* Octets of a packet's type and length: so many are understood, for packets of less than 2 MiB. */
#define MQTT_MOST_HEAD 4

/* What a server sent. Pointers are into the octets it was taken from. */
struct mqtt_packet {
  int type;
  /* Of a publication. */
  const uint8_t *topic;
  size_t topic_length;
  const uint8_t *payload;
  size_t payload_length;
};

/* A packet's head, before so many octets; gives the head's length. */
size_t mqtt_write_head(uint8_t head[MQTT_MOST_HEAD], int type, size_t rest);

/* A text with its length; gives the octets of both. */
size_t mqtt_write_text(uint8_t *at, const char *text, size_t length);

/* CONNECT with a clean session, of a client that may be idle for ever. */
void mqtt_connect(struct links *links, struct link *link, const char *client);

/* SUBSCRIBE with QoS 0. */
void mqtt_subscribe(struct links *links, struct link *link, const char *topic);

/* Takes the packet at the front. Gives the octets used, 0 when more are needed. Ends the program when it is a refusal. */
size_t mqtt_take(const uint8_t *octets, size_t length, struct mqtt_packet *packet);
