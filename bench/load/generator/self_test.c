#include "self_test.h"

#include <stdio.h>
#include <string.h>

#include "mqtt_packets.h"
#include "sha256.h"

/* `key` and `message` are texts, or one octet repeated `repeat` times. */
struct vector {
  const char *source;
  const char *key;
  size_t key_repeat;
  const char *message;
  size_t message_repeat;
  const char *mac;
};

/* RFC 4231. */
static const struct vector macs[] = {
    {"RFC 4231, 1", "\x0b", 20, "Hi There", 0, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"RFC 4231, 2", "Jefe", 0, "what do ya want for nothing?", 0,
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"RFC 4231, 3", "\xaa", 20, "\xdd", 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"RFC 4231, 6", "\xaa", 131, "Test Using Larger Than Block-Size Key - Hash Key First", 0,
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {"RFC 4231, 7", "\xaa", 131,
     "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed "
     "before being used by the HMAC algorithm.",
     0, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

/* FIPS 180-4's examples; the last fills blocks whole. */
static const struct vector digests[] = {
    {"SHA-256 of nothing", "", 0, "", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"SHA-256 of abc", "", 0, "abc", 0, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"SHA-256 of two blocks", "", 0, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 0,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"SHA-256 of a thousand a", "", 0, "a", 1000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"},
};

static size_t spelt(const char *text, size_t repeat, uint8_t *octets) {
  const size_t length = repeat == 0 ? strlen(text) : repeat;
  if (repeat == 0)
    memcpy(octets, text, length);
  else
    memset(octets, text[0], length);
  return length;
}

static int differs(const char *source, const uint8_t *octets, const char *wanted) {
  char hex[2 * SHA256_OCTETS + 1];
  for (int i = 0; i < SHA256_OCTETS; i += 1) sprintf(hex + 2 * i, "%02x", octets[i]);
  if (strcmp(hex, wanted) == 0) return 0;
  printf("%s: %s, not %s\n", source, hex, wanted);
  return 1;
}

/* An object's answer to its challenge, as the IoTSocket protocol's own test vectors have it. */
static int answer_to_challenge(void) {
  uint8_t key[16], challenge[16], mac[SHA256_OCTETS];
  memset(key, 0x43, 8);
  memset(key + 8, 0x44, 8);
  for (int i = 0; i < 16; i += 1) challenge[i] = (uint8_t)i;
  hmac_sha256(key, sizeof key, challenge, sizeof challenge, mac);
  return differs("challenge answer", mac, "9d6033ea4cea99b5f17316672d846d98228fb4e366243ae3f667ba44bb1e8b2f");
}

/* MQTT 3.1.1, table 2.4: lengths at the edges of how many octets they take, less those that the packet has besides. */
static int mqtt_lengths(void) {
  static const struct {
    size_t rest;
    size_t head;
    uint8_t octets[MQTT_MOST_HEAD];
  } lengths[] = {
      {127, 2, {MQTT_PUBLISH, 0x7f}},          {128, 3, {MQTT_PUBLISH, 0x80, 0x01}},
      {16383, 3, {MQTT_PUBLISH, 0xff, 0x7f}},  {16384, 4, {MQTT_PUBLISH, 0x80, 0x80, 0x01}},
      {2097151, 4, {MQTT_PUBLISH, 0xff, 0xff, 0x7f}},
  };
  int wrong = 0;
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i += 1) {
    static uint8_t octets[MQTT_MOST_HEAD + 2097151];
    const size_t rest = lengths[i].rest, head = mqtt_write_head(octets, MQTT_PUBLISH, rest);
    const bool is_written = head == lengths[i].head && memcmp(octets, lengths[i].octets, head) == 0;
    struct mqtt_packet packet = {0};
    mqtt_write_text(octets + head, "flow", 4);
    const bool is_read = mqtt_take(octets, head + rest, &packet) == head + rest && packet.topic_length == 4 &&
                         memcmp(packet.topic, "flow", 4) == 0 && packet.payload_length == rest - 6;
    const bool is_awaited = mqtt_take(octets, head + rest - 1, &packet) == 0 && mqtt_take(octets, head - 1, &packet) == 0;
    if (is_written && is_read && is_awaited) continue;
    printf("an MQTT packet of %zu\n", rest);
    wrong += 1;
  }
  return wrong;
}

int self_test(void) {
  int wrong = answer_to_challenge() + mqtt_lengths();
  uint8_t key[1024], message[1024], mac[SHA256_OCTETS];
  for (size_t i = 0; i < sizeof macs / sizeof *macs; i += 1) {
    const size_t key_length = spelt(macs[i].key, macs[i].key_repeat, key);
    const size_t length = spelt(macs[i].message, macs[i].message_repeat, message);
    hmac_sha256(key, key_length, message, length, mac);
    wrong += differs(macs[i].source, mac, macs[i].mac);
  }
  for (size_t i = 0; i < sizeof digests / sizeof *digests; i += 1) {
    const size_t length = spelt(digests[i].message, digests[i].message_repeat, message);
    struct sha256 hash;
    sha256_start(&hash);
    /* In two parts, cut where no block ends. */
    sha256_add(&hash, message, length / 3);
    sha256_add(&hash, message + length / 3, length - length / 3);
    sha256_finish(&hash, mac);
    wrong += differs(digests[i].source, mac, digests[i].mac);
  }
  if (wrong == 0) puts("ok");
  return wrong == 0 ? 0 : 1;
}
