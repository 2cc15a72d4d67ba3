#pragma once

#include <stdbool.h>

/* What a measurement is told. Not all of them need all. */
struct options {
  /* iotsocket, mqtt, nats, websocket; bare: a server that only counts. Of flows and tunnels: see there. */
  const char *protocol;
  int port;
  int udp_port;
  /* Process whose CPU time and memory are read. */
  int pid;
  /* Objects, connections, or pairs. */
  int count;
  /* Octets of a payload. */
  int payload;
  /* Of flows: who publishes, who subscribes, messages of one write, and how many at most are on the way to a subscriber. */
  int publishers;
  int subscribers;
  int run;
  int window;
  /* Round trips a second, or the first rate of datagrams; 0: as fast as they come back. */
  int rate;
  /* Before anything is measured, and how long it is measured. */
  int warm_up_ms;
  int ms;
  /* Of flows and tunnels: when so long nothing has come, what is missing is lost. */
  int patience_ms;
  /* The process collects its garbage on SIGUSR2 (collect-on-signal.ts): before memory is read, it is told to. */
  bool is_collecting;
};

/* Reads `--name value` pairs; ends the program at a name that it does not know. */
struct options read_options(int count, char **words);
