#pragma once

#include <Arduino.h>

// Signatures as in libraries/ESP8266WiFi/src of the core.

typedef enum {
  WL_IDLE_STATUS = 0,
  WL_NO_SSID_AVAIL = 1,
  WL_CONNECTED = 3,
  WL_CONNECT_FAILED = 4,
  WL_CONNECTION_LOST = 5,
  WL_WRONG_PASSWORD = 6,
  WL_DISCONNECTED = 7
} wl_status_t;
typedef enum WiFiMode { WIFI_OFF = 0, WIFI_STA = 1, WIFI_AP = 2, WIFI_AP_STA = 3 } WiFiMode_t;

class ClientContext;

class WiFiClient : public Stream {
 public:
  WiFiClient();
  WiFiClient(const WiFiClient&);
  WiFiClient& operator=(const WiFiClient&);
  ~WiFiClient() override;
  virtual int connect(const char* host, uint16_t port);
  virtual uint8_t status();
  size_t write(uint8_t octet) override;
  size_t write(const uint8_t* octets, size_t size) override;
  using Print::write;
  int available() override;
  virtual int read(uint8_t* to, size_t size);
  virtual uint8_t connected();
  int availableForWrite() override;
  virtual void keepAlive(uint16_t idleSec = 7200, uint16_t intervalSec = 75, uint8_t count = 9);
  void setNoDelay(bool isOn);

 private:
  friend class WiFiServer;
  void release();

  ClientContext* _client = nullptr;
  // On the chip an object is as large as there: 32 octets.
  uint8_t rest_[24] = {};
};

class WiFiServer {
 public:
  WiFiServer(uint16_t port = 23);
  virtual ~WiFiServer();
  WiFiClient accept();
  bool hasClient();
  void begin();
  void stop();
  void setNoDelay(bool isOn);

 private:
  uint16_t port_;
  uint8_t rest_[26] = {};
};

class ESP8266WiFiClass {
 public:
  static void persistent(bool isOn);
  bool mode(WiFiMode_t mode);
  bool setAutoReconnect(bool isOn);
  bool hostname(const char* name);
  wl_status_t begin(const char* ssid, const char* passphrase = nullptr, int32_t channel = 0,
                    const uint8_t* bssid = nullptr, bool connect = true);
  bool disconnect(bool isWifiOff = false);
  uint8_t* macAddress(uint8_t* to);
  wl_status_t status();
};

extern ESP8266WiFiClass WiFi;
