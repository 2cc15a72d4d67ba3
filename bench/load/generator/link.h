#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the link of the central has instead of an object's number. */
#define CENTRAL (-1)

/* A growing run of octets. */
struct run {
  uint8_t *octets;
  size_t length;
  size_t capacity;
};

/* One connection: its octets in and out, and how far its opening has come. */
struct link {
  int fd;
  /* Number of its object, or CENTRAL. */
  int index;
  /* Steps of the opening done; each protocol counts its own. */
  int stage;
  /* Number of the latest request. */
  uint16_t tracking;
  bool is_to_flush;
  struct run in;
  struct run out;
  struct link *next_to_flush;
};

/* The links of a measurement, watched together. */
struct links {
  int epoll;
  struct link *to_flush;
};

/* An address of this machine's loopback. */
struct sockaddr_in loopback(int host, int port);

void links_start(struct links *links);

/* Watches what has a socket already. */
void links_watch(struct links *links, struct link *link);

/* Connects from 127.0.0.`source` to `port` of 127.0.0.1, and watches. Ends the program when that fails. */
void link_open(struct links *links, struct link *link, int index, int source, int port);

void link_close(struct link *link);

/* Puts octets behind those that the next `links_flush` writes. */
void link_append(struct links *links, struct link *link, const void *octets, size_t length);

/* Writes these at once, in one write; what is not taken waits for `links_flush`. Nothing may be waiting there yet. */
void link_write(struct links *links, struct link *link, const void *octets, size_t length);

/* One write for each link that has something; what is not taken stays for the next time. */
void links_flush(struct links *links);

/* Waits, at most `timeout_ms` (0: not at all, -1: for ever), for links that have octets; gives how many it put in `ready`. */
int links_wait(struct links *links, struct link **ready, int most, int timeout_ms);

/* Reads once, behind what is in `in`. Gives what `recv` gives; 0 is the end of the stream. */
long link_read(struct link *link);

/* Reads once, and has `take` take from the front until it gives 0: more is needed. Ends the program when the other side has
   closed. */
void link_take_each(struct link *link,
                    size_t (*take)(void *context, struct link *link, const uint8_t *octets, size_t length),
                    void *context);

/* Takes the first `length` octets away. */
void run_drop(struct run *run, size_t length);
