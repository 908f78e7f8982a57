// Stands in for the core's WiFiServer. A port of the board is a free one of the host:
// $BOARD/ports says which, in lines `80 41234`.
#pragma once

#include <WiFiClient.h>

class WiFiServer
{
  public:
    WiFiServer(uint16_t port = 23) : port_(port) {}
    WiFiServer(const WiFiServer &) = delete;
    ~WiFiServer() { stop(); }

    void begin();
    bool hasClient();
    WiFiClient accept();
    void stop();

  private:
    uint16_t port_;
    int socket_ = -1;
};
