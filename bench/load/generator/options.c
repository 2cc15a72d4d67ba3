#include "options.h"

#include <getopt.h>
#include <stdlib.h>

#include "die.h"

struct options read_options(int count, char **words) {
  struct options options = {.protocol = "iotsocket",
                            .count = 50,
                            .payload = 100,
                            .publishers = 1,
                            .subscribers = 1,
                            .run = 1,
                            .window = 64,
                            .warm_up_ms = 300,
                            .ms = 1000,
                            .patience_ms = 2000};
  const struct option names[] = {
      {"protocol", required_argument, NULL, 'a'},    {"port", required_argument, NULL, 'p'},
      {"udp-port", required_argument, NULL, 'u'},    {"pid", required_argument, NULL, 'i'},
      {"count", required_argument, NULL, 'c'},       {"payload", required_argument, NULL, 'l'},
      {"publishers", required_argument, NULL, 'P'},  {"subscribers", required_argument, NULL, 'S'},
      {"run", required_argument, NULL, 'n'},         {"window", required_argument, NULL, 'W'},
      {"rate", required_argument, NULL, 'r'},        {"warm-up-ms", required_argument, NULL, 'w'},
      {"ms", required_argument, NULL, 'm'},          {"collect", no_argument, NULL, 'g'},
      {"patience-ms", required_argument, NULL, 'q'}, {NULL, 0, NULL, 0},
  };
  for (;;) {
    const int name = getopt_long(count, words, "", names, NULL);
    const int value = optarg == NULL ? 0 : atoi(optarg);
    switch (name) {
      case -1:
        if (optind < count) die("what is %s?", words[optind]);
        return options;
      case 'a':
        options.protocol = optarg;
        break;
      case 'p':
        options.port = value;
        break;
      case 'u':
        options.udp_port = value;
        break;
      case 'i':
        options.pid = value;
        break;
      case 'c':
        options.count = value;
        break;
      case 'l':
        options.payload = value;
        break;
      case 'P':
        options.publishers = value;
        break;
      case 'S':
        options.subscribers = value;
        break;
      case 'n':
        options.run = value;
        break;
      case 'W':
        options.window = value;
        break;
      case 'q':
        options.patience_ms = value;
        break;
      case 'r':
        options.rate = value;
        break;
      case 'w':
        options.warm_up_ms = value;
        break;
      case 'm':
        options.ms = value;
        break;
      case 'g':
        options.is_collecting = true;
        break;
      default:
        exit(2);
    }
  }
}
