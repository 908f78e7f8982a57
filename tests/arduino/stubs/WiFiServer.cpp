#include <WiFiServer.h>
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace
{

// Of the core: how many may wait to be accepted.
constexpr int kBacklog = 5;

[[noreturn]] void fail(const char *what)
{
    perror(what);
    abort();
}

} // namespace

void WiFiServer::begin()
{
    stop();
    sockaddr_in own = {};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ < 0 || bind(socket_, reinterpret_cast<sockaddr *>(&own), size) != 0 ||
        listen(socket_, kBacklog) != 0 ||
        getsockname(socket_, reinterpret_cast<sockaddr *>(&own), &size) != 0) {
        fail("WiFiServer");
    }
    const char *const folder = getenv("BOARD");
    const std::string path = std::string(folder == nullptr ? "." : folder) + "/ports";
    // Whole or not at all, for those who wait for it.
    std::ofstream(path + ".new") << port_ << ' ' << ntohs(own.sin_port) << '\n';
    if (rename((path + ".new").c_str(), path.c_str()) != 0) {
        fail("ports");
    }
}

bool WiFiServer::hasClient()
{
    pollfd wait = {socket_, POLLIN, 0};
    return socket_ >= 0 && poll(&wait, 1, 0) == 1;
}

WiFiClient WiFiServer::accept()
{
    const int accepted = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    return accepted < 0 ? WiFiClient() : WiFiClient(accepted);
}

void WiFiServer::stop()
{
    if (socket_ >= 0) {
        close(socket_);
        socket_ = -1;
    }
}
