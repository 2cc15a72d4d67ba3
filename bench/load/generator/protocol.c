#include "protocol.h"

#include <string.h>

#include "die.h"

const struct protocol *protocol_named(const char *name) {
  const struct protocol *const all[] = {&iotsocket_protocol, &mqtt_protocol, &nats_protocol, &websocket_protocol};
  for (size_t i = 0; i < sizeof all / sizeof *all; i += 1)
    if (strcmp(all[i]->name, name) == 0) return all[i];
  die("no protocol %s", name);
}

void link_take(const struct protocol *protocol, struct links *links, struct link *link,
               void (*hear)(struct link *link, const struct message *message)) {
  if (link_read(link) == 0) die("the connection of %d was closed, at stage %d", link->index, link->stage);
  size_t used = 0;
  while (used < link->in.length) {
    struct message message = {.kind = MESSAGE_NOTHING};
    const size_t taken = protocol->take(links, link, link->in.octets + used, link->in.length - used, &message);
    if (taken == 0) break;
    if (message.kind != MESSAGE_NOTHING) hear(link, &message);
    used += taken;
  }
  run_drop(&link->in, used);
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
