#include <ESP8266WiFi.h>
#include <WiFiClientSecure.h>

#include <algorithm>

namespace BearSSL
{

namespace
{

// Of the core.
constexpr unsigned long kHandshakeMs = 15000;
constexpr int kInOverhead = 325, kOutOverhead = 85;

Unchained *of(const br_x509_class **context)
{
    return reinterpret_cast<Unchained *>(context);
}

// A chain is taken as it comes; of its first certificate the SHA-1 is compared, if one is expected.
const br_x509_class kUnchained = {
    sizeof(Unchained),
    [](const br_x509_class **context, const char *) {
        br_x509_decoder_init(&of(context)->decoder, nullptr, nullptr);
        br_sha1_init(&of(context)->sha1);
        of(context)->seen = false;
    },
    [](const br_x509_class **, uint32_t) {},
    [](const br_x509_class **context, const unsigned char *bytes, size_t count) {
        if (!of(context)->seen) {
            br_sha1_update(&of(context)->sha1, bytes, count);
            br_x509_decoder_push(&of(context)->decoder, bytes, count);
        }
    },
    [](const br_x509_class **context) { of(context)->seen = true; },
    [](const br_x509_class **context) -> unsigned {
        uint8_t found[20];
        br_sha1_out(&of(context)->sha1, found);
        const uint8_t *const wanted = of(context)->fingerprint;
        if (!of(context)->seen) {
            return 1;
        }
        return wanted != nullptr && memcmp(found, wanted, sizeof found) != 0
                   ? BR_ERR_X509_NOT_TRUSTED
                   : 0;
    },
    [](const br_x509_class *const *context, unsigned *usages) -> const br_x509_pkey * {
        if (usages != nullptr) {
            *usages = BR_KEYTYPE_KEYX | BR_KEYTYPE_SIGN;
        }
        return &reinterpret_cast<const Unchained *>(context)->decoder.pkey;
    },
};

// Whether a ServerHello, the first that comes, has the extension max_fragment_length (RFC 6066).
// BearSSL in Debian does not say, the core's does.
bool agreed_length(const std::string &hello)
{
    const auto byte = [&hello](size_t at) {
        return at < hello.size() ? static_cast<size_t>(static_cast<uint8_t>(hello[at])) : 0;
    };
    size_t at = 5 + 4 + 2 + 32;
    at += 1 + byte(at) + 2 + 1;
    const size_t end = at + 2 + (byte(at) << 8 | byte(at + 1));
    for (at += 2; at + 4 <= end; at += 4 + (byte(at + 2) << 8 | byte(at + 3))) {
        if (byte(at) == 0 && byte(at + 1) == 1) {
            return true;
        }
    }
    return false;
}

} // namespace

void WiFiClientSecure::trust_nobody()
{
    insecure_ = use_fingerprint_ = false;
    known_ = nullptr;
    anchors_ = nullptr;
}

void WiFiClientSecure::setInsecure()
{
    trust_nobody();
    insecure_ = true;
}

void WiFiClientSecure::setKnownKey(const PublicKey *pk, unsigned usages)
{
    trust_nobody();
    known_ = pk;
    usages_ = usages;
}

bool WiFiClientSecure::setFingerprint(const uint8_t fingerprint[20])
{
    trust_nobody();
    use_fingerprint_ = true;
    memcpy(fingerprint_, fingerprint, sizeof fingerprint_);
    return true;
}

void WiFiClientSecure::setTrustAnchors(const X509List *ta)
{
    trust_nobody();
    anchors_ = ta;
}

void WiFiClientSecure::setBufferSizes(int recv, int xmit)
{
    in_.resize(static_cast<size_t>(std::clamp(recv, 512, 16384) + kInOverhead));
    out_.resize(static_cast<size_t>(std::clamp(xmit, 512, 16384) + kOutOverhead));
}

void WiFiClientSecure::install_validator()
{
    br_ssl_engine_context *const engine = &client_->eng;
    if (insecure_ || use_fingerprint_) {
        unchained_ = std::make_unique<Unchained>();
        unchained_->vtable = &kUnchained;
        unchained_->fingerprint = use_fingerprint_ ? fingerprint_ : nullptr;
        br_ssl_engine_set_x509(engine, &unchained_->vtable);
    } else if (known_ != nullptr && (known_->isRSA() || known_->isEC())) {
        key_ = std::make_unique<br_x509_knownkey_context>();
        if (known_->isRSA()) {
            br_x509_knownkey_init_rsa(key_.get(), known_->getRSA(), usages_);
        } else {
            br_x509_knownkey_init_ec(key_.get(), known_->getEC(), usages_);
        }
        br_ssl_engine_set_x509(engine, &key_->vtable);
    } else if (now_ != 0) {
        // Days from the year 0, as BearSSL counts. Without a time the one of the program counts:
        // seconds since it started.
        br_x509_minimal_set_time(chain_.get(), static_cast<uint32_t>(now_ / 86400 + 719528),
                                 static_cast<uint32_t>(now_ % 86400));
    }
}

bool WiFiClientSecure::handshake(const char *name)
{
    client_ = std::make_unique<br_ssl_client_context>();
    chain_ = std::make_unique<br_x509_minimal_context>();
    // Every suite that BearSSL has, as the core does.
    br_ssl_client_init_full(client_.get(), chain_.get(),
                            anchors_ == nullptr ? nullptr : anchors_->getTrustAnchors(),
                            anchors_ == nullptr ? 0 : anchors_->getCount());
    install_validator();
    br_ssl_engine_add_flags(&client_->eng, BR_OPT_NO_RENEGOTIATION);
    br_ssl_engine_set_buffers_bidi(&client_->eng, in_.data(), in_.size(), out_.data(), out_.size());
    if (br_ssl_client_reset(client_.get(), name, 0) == 0) {
        return false;
    }
    timeout_ = kHandshakeMs;
    ready_ = run_until(BR_SSL_SENDAPP, true);
    timeout_ = 5000;
    return ready_;
}

int WiFiClientSecure::connect(IPAddress ip, uint16_t port)
{
    release();
    return WiFiClient::connect(ip, port) != 0 && handshake(nullptr);
}

int WiFiClientSecure::connect(const char *name, uint16_t port)
{
    release();
    IPAddress address;
    return WiFi.hostByName(name, address) != 0 && WiFiClient::connect(address, port) != 0 &&
           handshake(name);
}

// Lets the engine do what it wants until it can do `target`.
bool WiFiClientSecure::run_until(unsigned target, bool blocking)
{
    if (client_ == nullptr) {
        return false;
    }
    br_ssl_engine_context *const engine = &client_->eng;
    const unsigned long since = millis();
    for (;;) {
        const unsigned state = br_ssl_engine_current_state(engine);
        size_t size;
        if ((state & BR_SSL_CLOSED) != 0 || millis() - since >= timeout_) {
            return false;
        }
        if ((state & BR_SSL_SENDREC) != 0) {
            unsigned char *const bytes = br_ssl_engine_sendrec_buf(engine, &size);
            const size_t sent = WiFiClient::write(bytes, size);
            if (sent == 0) {
                return false;
            }
            br_ssl_engine_sendrec_ack(engine, sent);
        } else if ((state & target) != 0) {
            return true;
        } else if ((state & BR_SSL_RECVREC) != 0 && WiFiClient::available() > 0) {
            unsigned char *const bytes = br_ssl_engine_recvrec_buf(engine, &size);
            const int count = WiFiClient::read(bytes, size);
            if (count <= 0) {
                return false;
            }
            if (hello_.size() < 512) {
                hello_.append(reinterpret_cast<const char *>(bytes), static_cast<size_t>(count));
            }
            br_ssl_engine_recvrec_ack(engine, static_cast<size_t>(count));
        } else if (!blocking || WiFiClient::connected() == 0) {
            return false;
        } else {
            delay(1);
        }
    }
}

uint8_t WiFiClientSecure::connected()
{
    return available() > 0 || (ready_ && WiFiClient::connected() != 0 &&
                               (br_ssl_engine_current_state(&client_->eng) & BR_SSL_CLOSED) == 0);
}

int WiFiClientSecure::available()
{
    size_t size = 0;
    if (ready_ && run_until(BR_SSL_RECVAPP, false)) {
        br_ssl_engine_recvapp_buf(&client_->eng, &size);
    }
    return static_cast<int>(size);
}

int WiFiClientSecure::read(uint8_t *buf, size_t size)
{
    size_t there = 0;
    if (available() == 0) {
        return connected() != 0 ? 0 : -1;
    }
    const unsigned char *const bytes = br_ssl_engine_recvapp_buf(&client_->eng, &there);
    const size_t count = std::min(there, size);
    memcpy(buf, bytes, count);
    br_ssl_engine_recvapp_ack(&client_->eng, count);
    return static_cast<int>(count);
}

size_t WiFiClientSecure::write(const uint8_t *buf, size_t size)
{
    size_t done = 0, room = 0;
    while (ready_ && done < size && run_until(BR_SSL_SENDAPP, true)) {
        unsigned char *const bytes = br_ssl_engine_sendapp_buf(&client_->eng, &room);
        const size_t count = std::min(room, size - done);
        memcpy(bytes, buf + done, count);
        br_ssl_engine_sendapp_ack(&client_->eng, count);
        br_ssl_engine_flush(&client_->eng, 0);
        done += count;
    }
    (void)run_until(BR_SSL_SENDAPP, true);
    return done;
}

void WiFiClientSecure::stop()
{
    WiFiClient::stop();
    release();
}

// From here on there was no error.
void WiFiClientSecure::release()
{
    ready_ = false;
    hello_.clear();
    client_.reset();
    chain_.reset();
    key_.reset();
    unchained_.reset();
}

int WiFiClientSecure::getMFLNStatus()
{
    return connected() != 0 && agreed_length(hello_);
}

int WiFiClientSecure::getLastSSLError(char *dest, size_t len)
{
    const int error = client_ == nullptr ? 0 : br_ssl_engine_last_error(&client_->eng);
    if (dest != nullptr) {
        snprintf(dest, len, "%s", error == 0 ? "OK" : "Error");
    }
    return error;
}

bool WiFiClientSecure::probeMaxFragmentLength(const char *hostname, uint16_t port, uint16_t len)
{
    IPAddress address;
    return WiFi.hostByName(hostname, address) != 0 && probeMaxFragmentLength(address, port, len);
}

// What the core asks by a ClientHello of its own is asked by a whole handshake here: a client whose
// buffers are so small offers that length, and the server takes it or not.
bool WiFiClientSecure::probeMaxFragmentLength(IPAddress ip, uint16_t port, uint16_t len)
{
    if (len != 512 && len != 1024 && len != 2048 && len != 4096) {
        return false;
    }
    WiFiClientSecure probe;
    probe.setInsecure();
    probe.setBufferSizes(len, 512);
    const bool agreed = probe.connect(ip, port) != 0 && probe.getMFLNStatus() != 0;
    probe.stop();
    return agreed;
}

} // namespace BearSSL
