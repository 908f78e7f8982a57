// Stands in for the core's WiFiClient, over a socket of the host.
#pragma once

#include <Arduino.h>
#include <IPAddress.h>

#include <list>

class WiFiClient
{
  public:
    WiFiClient();
    explicit WiFiClient(int accepted); // the host's own: what a server accepted
    WiFiClient(const WiFiClient &) = delete;
    WiFiClient(WiFiClient &&other);
    WiFiClient &operator=(WiFiClient &&other);
    virtual ~WiFiClient();

    virtual int connect(IPAddress ip, uint16_t port);
    virtual int connect(const char *host, uint16_t port);
    virtual size_t write(const uint8_t *buf, size_t size);
    virtual int available();
    virtual int read(uint8_t *buf, size_t size);
    virtual uint8_t connected();
    virtual void stop();
    size_t readBytes(uint8_t *buffer, size_t length);
    void setNoDelay(bool nodelay);
    void setTimeout(unsigned long timeout) { timeout_ = timeout; }

    static void stopAll();

  protected:
    unsigned long timeout_ = 5000;

  private:
    bool established();
    int socket_ = -1;
};
