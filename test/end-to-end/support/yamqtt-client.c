/*
 * A client of YAMQTT as the protocol's own behaves (wire/yamqtt.md): three records of 1024 octets a message, each written and
 * read with one call; rubbish behind the action and the flow number; a publisher that ends with one empty message.
 *
 *   yamqtt-client <port> sub <flow>     prints what is published, a line each
 *   yamqtt-client <port> pub <flow>     publishes each line of its input
 *   yamqtt-client <port> talk           each line of its input is one record; prints what comes
 *
 * Exit code 3: a record did not come with one read. The protocol's own client would be out of step from then on.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECORD = 1024 };

static int server;

static void fail(const char *what) {
  perror(what);
  exit(2);
}

/* Behind the text and its 00 lies whatever lay there before: never 00, and no two records have the same. */
static void send_record(const char *text, size_t length) {
  static unsigned rubbish = 1;
  char record[RECORD];
  for (size_t at = 0; at < sizeof record; at += 1) {
    rubbish = rubbish * 1103515245u + 12345u;
    record[at] = (char)(1 + (rubbish >> 16) % 255);
  }
  memcpy(record, text, length);
  if (write(server, record, sizeof record) != sizeof record) fail("write");
}

/* The action's letter alone; a number and a text with their 00. */
static void send_message(char action, int flow, const char *text) {
  char number[16];
  snprintf(number, sizeof number, "%d", flow);
  send_record(&action, 1);
  send_record(number, strlen(number) + 1);
  send_record(text, strlen(text) + 1);
}

/* False at the end of the connection. */
static int read_record(char *record) {
  ssize_t count = read(server, record, RECORD);
  if (count == 0) return 0;
  if (count < 0) fail("read");
  if (count != RECORD) {
    fprintf(stderr, "a record of %zd octets\n", count);
    exit(3);
  }
  return 1;
}

static void *listen_for(void *with_flows) {
  static char action[RECORD], flow[RECORD], data[RECORD + 1];
  while (read_record(action) && read_record(flow) && read_record(data)) {
    /* Errors are not shown. */
    if (action[0] == 'e') continue;
    if (action[0] != 'm') printf("NOT UNDERSTOOD %c\n", action[0]);
    else if (with_flows != NULL) printf("[%d] %s\n", atoi(flow), data);
    else printf("%s\n", data);
    fflush(stdout);
  }
  return NULL;
}

/* A line without its end; false where there is none. */
static int next_line(char *line) {
  if (fgets(line, RECORD, stdin) == NULL) return 0;
  line[strcspn(line, "\n")] = '\0';
  return 1;
}

int main(int count, char **words) {
  if (count < 3) return 1;
  struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(words[1]))};
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  server = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(server, (struct sockaddr *)&place, sizeof place) != 0) fail("connect");
  char line[RECORD];

  if (strcmp(words[2], "sub") == 0 && count == 4) {
    send_message('s', atoi(words[3]), ".");
    listen_for(NULL);
    return 0;
  }
  if (strcmp(words[2], "pub") == 0 && count == 4) {
    while (next_line(line)) send_message('p', atoi(words[3]), line);
    send_message('p', atoi(words[3]), "");
    send_message('d', 0, ".");
    return close(server);
  }
  if (strcmp(words[2], "talk") == 0) {
    pthread_t listener;
    if (pthread_create(&listener, NULL, listen_for, &server) != 0) fail("pthread_create");
    while (next_line(line)) send_record(line, strlen(line) + 1);
    return 0;
  }
  return 1;
}
