/* Elfin, as much of it as this needs: the end that answers is a device, and the other one asks for a tunnel to it. */
#include <stdio.h>
#include <string.h>

#include "die.h"
#include "tunnel_protocol.h"

#define USER "bench"
#define TEXT_OCTETS 96
/* The answers to a request for a tunnel. */
#define SUCCESS "{\"status\":\"success\"}\n"
#define FAILED "{\"status\":\"failed\"}\n"

enum { ASKED, OPEN };

static void say_text(struct links *links, struct link *link, const char *text, bool is_line) {
  link_append(links, link, text, strlen(text));
  if (is_line) link_append(links, link, "\n", 1);
}

static void write_mac(char mac[TEXT_OCTETS], const struct link *link) {
  snprintf(mac, TEXT_OCTETS, "F0FE6B00%04X", (unsigned)PAIR_OF(link) & 0xffff);
}

static void ask(struct links *links, struct link *link, bool is_line) {
  char mac[TEXT_OCTETS], text[2 * TEXT_OCTETS];
  write_mac(mac, link);
  snprintf(text, sizeof text, "connme;" USER ";%s", mac);
  say_text(links, link, text, is_line);
}

static bool begin(struct links *links, struct link *link, bool is_line) {
  if (IS_ASKING(link)) {
    ask(links, link, is_line);
    return true;
  }
  char mac[TEXT_OCTETS], text[2 * TEXT_OCTETS];
  write_mac(mac, link);
  snprintf(text, sizeof text, "beat;" USER ";%s;adapter;0", mac);
  say_text(links, link, text, is_line);
  link->stage = OPEN;
  return false;
}

static size_t take(struct links *links, struct link *link, const uint8_t *octets, size_t length, size_t payload_length,
                   struct tunnel_message *message, bool is_line) {
  if (link->stage == OPEN) {
    if (length < payload_length) return 0;
    message->payload = octets;
    return payload_length;
  }
  const uint8_t *end = memchr(octets, '\n', length);
  if (end == NULL) return 0;
  const size_t used = (size_t)(end + 1 - octets);
  if (used == strlen(SUCCESS) && memcmp(octets, SUCCESS, used) == 0) {
    message->is_opening = true;
    link->stage = OPEN;
  } else if (used == strlen(FAILED) && memcmp(octets, FAILED, used) == 0) {
    /* The device's heartbeat has not been read yet. */
    ask(links, link, is_line);
  } else {
    die("%d was answered %.*s", link->index, (int)used, octets);
  }
  return used;
}

/* What is in front of a payload, without its length. A device's data is also a sign of its life, a program's is not. */
static size_t write_head(char text[2 * TEXT_OCTETS], const struct link *link) {
  char mac[TEXT_OCTETS];
  write_mac(mac, link);
  return (size_t)(IS_ASKING(link) ? snprintf(text, 2 * TEXT_OCTETS, "data;" USER ";T8080;T8080;1;")
                                  : snprintf(text, 2 * TEXT_OCTETS, "data;" USER ";%s;adapter;0;", mac));
}

static bool begin_line(struct links *links, struct link *link) { return begin(links, link, true); }
static bool begin_segment(struct links *links, struct link *link) { return begin(links, link, false); }

static size_t take_line(struct links *links, struct link *link, const uint8_t *octets, size_t length,
                        size_t payload_length, struct tunnel_message *message) {
  return take(links, link, octets, length, payload_length, message, true);
}

static size_t take_segment(struct links *links, struct link *link, const uint8_t *octets, size_t length,
                           size_t payload_length, struct tunnel_message *message) {
  return take(links, link, octets, length, payload_length, message, false);
}

void say_elfin_line(struct links *links, struct link *link, const uint8_t *payload, size_t length) {
  char text[2 * TEXT_OCTETS];
  size_t used = write_head(text, link);
  used += (size_t)snprintf(text + used, sizeof text - used, "%zu;", length);
  link_append(links, link, text, used);
  link_append(links, link, payload, length);
  link_append(links, link, "\n", 1);
}

static void say_segment(struct links *links, struct link *link, const uint8_t *payload, size_t length) {
  char text[2 * TEXT_OCTETS];
  link_append(links, link, text, write_head(text, link));
  link_append(links, link, payload, length);
}

const struct tunnel_protocol elfin_line_tunnels = {"elfin-line", begin_line, take_line, say_elfin_line};
const struct tunnel_protocol elfin_segment_tunnels = {"elfin-segment", begin_segment, take_segment, say_segment};
