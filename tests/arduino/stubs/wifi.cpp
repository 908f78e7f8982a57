#include <ESP8266WiFi.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <string>

ESP8266WiFiClass WiFi;
const String emptyString;

namespace
{

// Of the core: how long a connection may take to be made.
constexpr int kConnectMs = 5000;
// How long it takes to join an access point.
constexpr unsigned long kJoinMs = 50;

std::string air()
{
    const char *const folder = getenv("BOARD");
    std::ifstream file(std::string(folder == nullptr ? "." : folder) + "/wifi");
    std::string word;
    file >> word;
    return word.empty() ? "up" : word;
}

std::list<WiFiClient *> &clients()
{
    static std::list<WiFiClient *> all;
    return all;
}

} // namespace

bool IPAddress::fromString(const char *address)
{
    in_addr parsed;
    if (inet_pton(AF_INET, address, &parsed) != 1) {
        return false;
    }
    address_ = parsed.s_addr;
    return true;
}

String IPAddress::toString() const
{
    char text[16];
    snprintf(text, sizeof text, "%u.%u.%u.%u", (*this)[0], (*this)[1], (*this)[2], (*this)[3]);
    return text;
}

void ESP8266WiFiClass::persistent(bool) {}

bool ESP8266WiFiClass::mode(WiFiMode_t m)
{
    mode_ = m;
    return true;
}

WiFiMode_t ESP8266WiFiClass::getMode()
{
    return mode_;
}

wl_status_t ESP8266WiFiClass::begin(const char *, const char *, int32_t, const uint8_t *, bool)
{
    mode_ = static_cast<WiFiMode_t>(mode_ | WIFI_STA);
    began_ = true;
    up_since_ = 0;
    return WL_DISCONNECTED;
}

bool ESP8266WiFiClass::config(IPAddress local_ip, IPAddress, IPAddress, IPAddress, IPAddress)
{
    static_ = local_ip;
    return true;
}

bool ESP8266WiFiClass::disconnect(bool)
{
    began_ = false;
    up_since_ = 0;
    WiFiClient::stopAll();
    return true;
}

bool ESP8266WiFiClass::setAutoReconnect(bool)
{
    return true;
}

wl_status_t ESP8266WiFiClass::status()
{
    if (!began_) {
        return WL_IDLE_STATUS;
    }
    const std::string heard = air();
    if (heard != "up") {
        if (up_since_ != 0) {
            up_since_ = 0;
            WiFiClient::stopAll();
        }
        return heard == "locked" ? WL_WRONG_PASSWORD : WL_NO_SSID_AVAIL;
    }
    if (up_since_ == 0) {
        up_since_ = millis() + 1;
    }
    return millis() - up_since_ + 1 < kJoinMs ? WL_DISCONNECTED : WL_CONNECTED;
}

IPAddress ESP8266WiFiClass::localIP()
{
    if (status() != WL_CONNECTED) {
        return 0U;
    }
    return static_.isSet() ? static_ : IPAddress(127, 0, 0, 1);
}

uint8_t *ESP8266WiFiClass::macAddress(uint8_t *mac)
{
    const uint8_t own[] = {0x5c, 0xcf, 0x7f, 0xab, 0x8b, 0xfe};
    memcpy(mac, own, sizeof own);
    return mac;
}

int8_t ESP8266WiFiClass::RSSI()
{
    return -60;
}

int ESP8266WiFiClass::hostByName(const char *aHostname, IPAddress &aResult)
{
    addrinfo hints = {}, *found = nullptr;
    hints.ai_family = AF_INET;
    if (status() != WL_CONNECTED || getaddrinfo(aHostname, nullptr, &hints, &found) != 0) {
        return 0;
    }
    aResult = reinterpret_cast<sockaddr_in *>(found->ai_addr)->sin_addr.s_addr;
    freeaddrinfo(found);
    return 1;
}

bool ESP8266WiFiClass::softAP(const char *ssid, const char *psk, int channel, int ssid_hidden,
                              int max_connection)
{
    // The chip refuses a password of WPA2 that is too short or too long.
    if (psk != nullptr && (strlen(psk) < 8 || strlen(psk) > 64)) {
        return false;
    }
    mode_ = static_cast<WiFiMode_t>(mode_ | WIFI_AP);
    const char *const folder = getenv("BOARD");
    std::ofstream(std::string(folder == nullptr ? "." : folder) + "/access-point")
        << ssid << '\n'
        << (psk == nullptr ? "" : psk) << '\n'
        << channel << '\n'
        << ssid_hidden << '\n'
        << max_connection << '\n';
    return true;
}

bool ESP8266WiFiClass::softAPdisconnect(bool)
{
    mode_ = static_cast<WiFiMode_t>(mode_ & ~WIFI_AP);
    return true;
}

uint8_t ESP8266WiFiClass::softAPgetStationNum()
{
    return (mode_ & WIFI_AP) != 0 ? 1 : 0;
}

IPAddress ESP8266WiFiClass::softAPIP()
{
    return IPAddress(192, 168, 4, 1);
}

WiFiClient::WiFiClient()
{
    clients().push_back(this);
}

WiFiClient::WiFiClient(int accepted) : WiFiClient()
{
    socket_ = accepted;
    fcntl(socket_, F_SETFL, O_NONBLOCK);
}

WiFiClient::WiFiClient(WiFiClient &&other) : WiFiClient()
{
    *this = static_cast<WiFiClient &&>(other);
}

WiFiClient &WiFiClient::operator=(WiFiClient &&other)
{
    WiFiClient::stop();
    timeout_ = other.timeout_;
    socket_ = other.socket_;
    other.socket_ = -1;
    return *this;
}

WiFiClient::~WiFiClient()
{
    WiFiClient::stop();
    clients().remove(this);
}

void WiFiClient::stopAll()
{
    // The connection is gone, and its owner is to find out.
    for (WiFiClient *const each : clients()) {
        if (each->socket_ >= 0) {
            shutdown(each->socket_, SHUT_RDWR);
            close(each->socket_);
            each->socket_ = -1;
        }
    }
}

int WiFiClient::connect(const char *host, uint16_t port)
{
    IPAddress address;
    return WiFi.hostByName(host, address) != 0 ? WiFiClient::connect(address, port) : 0;
}

int WiFiClient::connect(IPAddress ip, uint16_t port)
{
    WiFiClient::stop();
    if (WiFi.status() != WL_CONNECTED) {
        return 0;
    }
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = ip;
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fcntl(socket_, F_SETFL, O_NONBLOCK);
    int problem = 0;
    if (::connect(socket_, reinterpret_cast<sockaddr *>(&to), sizeof to) != 0) {
        pollfd wait = {socket_, POLLOUT, 0};
        socklen_t size = sizeof problem;
        if (errno != EINPROGRESS || poll(&wait, 1, kConnectMs) != 1 ||
            getsockopt(socket_, SOL_SOCKET, SO_ERROR, &problem, &size) != 0 || problem != 0) {
            WiFiClient::stop();
            return 0;
        }
    }
    return 1;
}

bool WiFiClient::established()
{
    char byte;
    if (socket_ < 0) {
        return false;
    }
    const ssize_t count = recv(socket_, &byte, 1, MSG_PEEK);
    return count > 0 || (count < 0 && errno == EAGAIN);
}

uint8_t WiFiClient::connected()
{
    return WiFiClient::available() > 0 || established();
}

int WiFiClient::available()
{
    int count = 0;
    return socket_ >= 0 && ioctl(socket_, FIONREAD, &count) == 0 ? count : 0;
}

size_t WiFiClient::write(const uint8_t *buf, size_t size)
{
    size_t done = 0;
    while (socket_ >= 0 && done < size) {
        const ssize_t sent = send(socket_, buf + done, size - done, MSG_NOSIGNAL);
        if (sent > 0) {
            done += static_cast<size_t>(sent);
            continue;
        }
        pollfd wait = {socket_, POLLOUT, 0};
        if (errno != EAGAIN || poll(&wait, 1, static_cast<int>(timeout_)) != 1) {
            break;
        }
    }
    return done;
}

int WiFiClient::read(uint8_t *buf, size_t size)
{
    const ssize_t count = socket_ >= 0 ? recv(socket_, buf, size, 0) : -1;
    return count > 0 ? static_cast<int>(count) : -1;
}

size_t WiFiClient::readBytes(uint8_t *buffer, size_t length)
{
    size_t done = 0;
    while (done < length && socket_ >= 0) {
        pollfd wait = {socket_, POLLIN, 0};
        if (poll(&wait, 1, static_cast<int>(timeout_)) != 1) {
            break;
        }
        const int count = WiFiClient::read(buffer + done, length - done);
        if (count <= 0) {
            break;
        }
        done += static_cast<size_t>(count);
    }
    return done;
}

void WiFiClient::setNoDelay(bool nodelay)
{
    const int on = nodelay ? 1 : 0;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void WiFiClient::stop()
{
    if (socket_ >= 0) {
        close(socket_);
        socket_ = -1;
    }
}
