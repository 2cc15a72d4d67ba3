#include "protocol.h"

#include <string.h>

#include "die.h"

const struct protocol *protocol_named(const char *name) {
  const struct protocol *const all[] = {&iotsocket_protocol, &mqtt_protocol, &nats_protocol, &websocket_protocol};
  for (size_t i = 0; i < sizeof all / sizeof *all; i += 1)
    if (strcmp(all[i]->name, name) == 0) return all[i];
  die("no protocol %s", name);
}

/* How the messages of one link are taken, and who hears them. */
struct taking {
  const struct protocol *protocol;
  struct links *links;
  void (*hear)(struct link *link, const struct message *message);
};

static size_t take_message(void *context, struct link *link, const uint8_t *octets, size_t length) {
  const struct taking *taking = context;
  struct message message = {.kind = MESSAGE_NOTHING};
  const size_t used = taking->protocol->take(taking->links, link, octets, length, &message);
  if (used > 0 && message.kind != MESSAGE_NOTHING) taking->hear(link, &message);
  return used;
}

void link_take(const struct protocol *protocol, struct links *links, struct link *link,
               void (*hear)(struct link *link, const struct message *message)) {
  struct taking taking = {protocol, links, hear};
  link_take_each(link, take_message, &taking);
}

static int opened;
static void (*hear_others)(struct link *link, const struct message *message);

static void hear_opening(struct link *link, const struct message *message) {
  if (message->kind == MESSAGE_OPENED)
    opened += 1;
  else
    hear_others(link, message);
}

static void open_one(const struct protocol *protocol, struct links *links, struct link *link, int index, int port) {
  const int before = opened;
  link_open(links, link, index, 1, port);
  protocol->begin(links, link);
  while (opened == before) {
    links_flush(links);
    struct link *ready[16];
    const int count = links_wait(links, ready, 16, 5000);
    if (count == 0) die("%d was not let in within 5 s, at stage %d", index, link->stage);
    for (int i = 0; i < count; i += 1) link_take(protocol, links, ready[i], hear_opening);
  }
}

void open_all(const struct protocol *protocol, struct links *links, struct link *central, struct link *objects, int count,
              int port, void (*hear)(struct link *link, const struct message *message)) {
  hear_others = hear;
  open_one(protocol, links, central, CENTRAL, port);
  for (int index = 0; index < count; index += 1) open_one(protocol, links, &objects[index], index, port);
}
