/* The text protocol of NATS, as much of it as this needs: an object asks on `q.<uid>` and hears on `a.<uid>`, the
   central hears `q.*`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "protocol.h"

#define LINE_OCTETS 96

static void say(struct links *links, struct link *link, const char *text) {
  link_append(links, link, text, strlen(text));
}

static void begin(struct links *links, struct link *link) {
  char line[LINE_OCTETS];
  say(links, link, "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n");
  if (link->index == CENTRAL)
    say(links, link, "SUB q.* 1\r\n");
  else {
    snprintf(line, sizeof line, "SUB a.object-%05d 1\r\n", link->index);
    say(links, link, line);
  }
  say(links, link, "PING\r\n");
}

/* `MSG <subject> 1 <length>\r\n<payload>\r\n`; `line` octets with the first line's end. */
static size_t take_msg(struct link *link, const uint8_t *octets, size_t length, size_t line, struct message *message) {
  const uint8_t *subject = octets + 4;
  const uint8_t *space = memchr(subject, ' ', line - 4);
  /* Back over the line's end to the last word. */
  const uint8_t *size = octets + line - 2;
  while (size[-1] != ' ') size -= 1;
  const size_t payload = (size_t)atol((const char *)size), used = line + payload + 2;
  if (length < used) return 0;
  message->kind = link->index == CENTRAL ? MESSAGE_REQUEST : MESSAGE_RESPONSE;
  message->uid = subject + 2;
  message->uid_length = (size_t)(space - subject) - 2;
  message->payload = octets + line;
  message->payload_length = payload;
  return used;
}

static size_t take(struct links *links, struct link *link, const uint8_t *octets, size_t length,
                   struct message *message) {
  const uint8_t *end = memchr(octets, '\n', length);
  if (end == NULL) return 0;
  const size_t line = (size_t)(end - octets) + 1;
  switch (octets[0]) {
    case 'M':
      return take_msg(link, octets, length, line, message);
    case 'P':
      if (octets[1] == 'I')
        say(links, link, "PONG\r\n");
      else if (link->stage == 0) {
        link->stage = 1;
        message->kind = MESSAGE_OPENED;
      }
      break;
    case 'I':
      break;
    default:
      die("the NATS server said %.*s", (int)line, octets);
  }
  return line;
}

static void publish(struct links *links, struct link *link, char kind, const uint8_t *uid, size_t uid_length,
                    const uint8_t *payload, size_t length) {
  char line[LINE_OCTETS];
  const int used = snprintf(line, sizeof line, "PUB %c.%.*s %zu\r\n", kind, (int)uid_length, uid, length);
  link_append(links, link, line, (size_t)used);
  link_append(links, link, payload, length);
  say(links, link, "\r\n");
}

static void request(struct links *links, struct link *object, const uint8_t *payload, size_t length) {
  char uid[LINE_OCTETS];
  const int used = snprintf(uid, sizeof uid, "object-%05d", object->index);
  publish(links, object, 'q', (const uint8_t *)uid, (size_t)used, payload, length);
}

static void answer(struct links *links, struct link *central, const struct message *request) {
  publish(links, central, 'a', request->uid, request->uid_length, request->payload, request->payload_length);
}

const struct protocol nats_protocol = {"nats", begin, take, request, answer, NULL};
