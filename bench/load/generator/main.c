/* The load of the measurements: plays objects and a central, publishers and subscribers, or both ends of tunnels, over one
   thread, and prints one line of JSON.

     generator --self-test
     generator round-trips|sessions|telemetry|bursts|flows|tunnels --protocol … --port … --pid …
     generator idle-server --port … --count …        (a peer, not a load) */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "bursts.h"
#include "die.h"
#include "flows.h"
#include "idle_server.h"
#include "options.h"
#include "round_trips.h"
#include "self_test.h"
#include "sessions.h"
#include "telemetry.h"
#include "tunnels.h"

/* Ten thousand sockets and some. */
#define MOST_FILES 12000

struct measurement {
  const char *name;
  void (*run)(const struct options *options);
};

static const struct measurement measurements[] = {
    {"round-trips", round_trips},
    {"sessions", sessions},
    {"telemetry", telemetry},
    {"bursts", bursts},
    {"flows", flows},
    {"tunnels", tunnels},
    {"idle-server", idle_server},
};

int main(int count, char **words) {
  const char *name = count > 1 ? words[1] : "";
  if (strcmp(name, "--self-test") == 0) return self_test();
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max < MOST_FILES ? files.rlim_max : MOST_FILES;
  setrlimit(RLIMIT_NOFILE, &files);
  for (size_t i = 0; i < sizeof measurements / sizeof *measurements; i += 1) {
    if (strcmp(measurements[i].name, name) != 0) continue;
    const struct options options = read_options(count - 1, words + 1);
    measurements[i].run(&options);
    return 0;
  }
  die("what is to be measured? round-trips, sessions, telemetry, bursts, flows, tunnels; idle-server; or --self-test");
}
