#include <ESP8266WiFi.h>
#include <ESP8266mDNS.h>

#include <algorithm>
#include <cstring>

#include "fake_core.h"

using fake::happened;
using fake::world;

/** A connection as lwIP has it: closed when nothing refers to it any more. */
class ClientContext {
 public:
  explicit ClientContext(int number) : number(number) {}
  ~ClientContext() { happened("closed " + std::to_string(number)); }

  fake::Connection& connection() const { return world.connections[number]; }

  const int number;
  int references = 1;
};

ESP8266WiFiClass WiFi;
MDNSResponder MDNS;

WiFiClient::WiFiClient() = default;
WiFiClient::WiFiClient(const WiFiClient& other) : Stream(other), _client(other._client) {
  if (_client != nullptr) ++_client->references;
}
WiFiClient& WiFiClient::operator=(const WiFiClient& other) {
  if (other._client != nullptr) ++other._client->references;
  release();
  _client = other._client;
  return *this;
}
WiFiClient::~WiFiClient() { release(); }

void WiFiClient::release() {
  if (_client != nullptr && --_client->references == 0) delete _client;
  _client = nullptr;
}

int WiFiClient::connect(const char* host, uint16_t port) {
  happened("dial " + std::string(host) + " " + std::to_string(port));
  release();
  if (world.answers < 0) return 0;
  _client = new ClientContext(world.answers);
  world.answers = -1;
  return 1;
}

uint8_t WiFiClient::status() { return _client != nullptr && !_client->connection().isEnded ? 4 : 0; }
uint8_t WiFiClient::connected() { return status() != 0 || available() > 0 ? 1 : 0; }
int WiFiClient::available() {
  return _client == nullptr ? 0 : static_cast<int>(_client->connection().inbound.size());
}
int WiFiClient::availableForWrite() { return status() == 0 ? 0 : 1072; }
int WiFiClient::read(uint8_t* to, size_t size) {
  std::string& inbound = _client->connection().inbound;
  const size_t count = std::min(size, inbound.size());
  std::memcpy(to, inbound.data(), count);
  inbound.erase(0, count);
  return static_cast<int>(count);
}
size_t WiFiClient::write(uint8_t octet) { return write(&octet, 1); }
size_t WiFiClient::write(const uint8_t* octets, size_t size) {
  const std::string text(reinterpret_cast<const char*>(octets), size);
  happened("out " + std::to_string(_client->number) + " " + fake::toHex(text));
  return size;
}
void WiFiClient::keepAlive(uint16_t, uint16_t, uint8_t) {}
void WiFiClient::setNoDelay(bool) {}

WiFiServer::WiFiServer(uint16_t port) : port_(port) {}
WiFiServer::~WiFiServer() = default;
void WiFiServer::begin() {
  world.isListening = true;
  happened("listen " + std::to_string(port_));
}
void WiFiServer::stop() {
  world.isListening = false;
  happened("unlisten");
}
void WiFiServer::setNoDelay(bool) {}
bool WiFiServer::hasClient() { return !world.pending.empty(); }
WiFiClient WiFiServer::accept() {
  WiFiClient client;
  if (world.pending.empty()) return client;
  client._client = new ClientContext(world.pending.front());
  world.pending.pop_front();
  return client;
}

void ESP8266WiFiClass::persistent(bool) {}
bool ESP8266WiFiClass::mode(WiFiMode) { return true; }
bool ESP8266WiFiClass::setAutoReconnect(bool) { return true; }
bool ESP8266WiFiClass::hostname(const char* name) {
  happened("host " + std::string(name));
  return true;
}
wl_status_t ESP8266WiFiClass::begin(const char* ssid, const char* passphrase, int32_t, const uint8_t*, bool) {
  happened("join " + std::string(ssid) + " " + passphrase);
  return WL_DISCONNECTED;
}
bool ESP8266WiFiClass::disconnect(bool) {
  world.wifiStatus = WL_DISCONNECTED;
  return true;
}
uint8_t* ESP8266WiFiClass::macAddress(uint8_t* to) {
  static const uint8_t mac[] = {0x5c, 0xcf, 0x7f, 0x01, 0x02, 0x03};
  std::memcpy(to, mac, sizeof mac);
  return to;
}
wl_status_t ESP8266WiFiClass::status() { return static_cast<wl_status_t>(world.wifiStatus); }

bool MDNSResponder::begin(const char* hostname) {
  happened("mdns " + std::string(hostname));
  return true;
}
MDNSResponder::hMDNSService MDNSResponder::addService(const char* name, const char* service, const char* protocol,
                                                      uint16_t port) {
  happened("service " + std::string(name) + " _" + service + "._" + protocol + " " + std::to_string(port));
  return this;
}
MDNSResponder::hMDNSTxt MDNSResponder::addServiceTxt(const hMDNSService, const char* key, const char* value) {
  happened("txt " + std::string(key) + "=" + value);
  return this;
}
bool MDNSResponder::update() { return true; }
bool MDNSResponder::end() {
  happened("mdns-end");
  return true;
}
