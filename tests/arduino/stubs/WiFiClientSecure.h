// Stands in for the core's WiFiClientSecure, on BearSSL itself: the same validators, the same
// buffers, the same errors.
#pragma once

#include <Arduino.h>
#include <WiFiClient.h>
#include <bearssl/bearssl.h>
#include <time.h>

#include <memory>
#include <string>
#include <vector>

namespace BearSSL
{

// The public key of a server, as SubjectPublicKeyInfo in DER.
class PublicKey
{
  public:
    PublicKey(const uint8_t *derKey, size_t derLen) { parse(derKey, derLen); }
    PublicKey(const PublicKey &) = delete;
    bool parse(const uint8_t *derKey, size_t derLen);
    bool isRSA() const { return rsa_.n != nullptr; }
    bool isEC() const { return ec_.q != nullptr; }
    const br_rsa_public_key *getRSA() const { return &rsa_; }
    const br_ec_public_key *getEC() const { return &ec_; }

  private:
    std::vector<uint8_t> bytes_;
    br_rsa_public_key rsa_ = {};
    br_ec_public_key ec_ = {};
};

// Certificates that are trusted, each in DER.
class X509List
{
  public:
    X509List() = default;
    X509List(const uint8_t *derCert, size_t derLen) { append(derCert, derLen); }
    X509List(const X509List &) = delete;
    bool append(const uint8_t *derCert, size_t derLen);
    size_t getCount() const { return anchors_.size(); }
    const br_x509_trust_anchor *getTrustAnchors() const { return anchors_.data(); }

  private:
    struct Certificate {
        std::string name;
        br_x509_decoder_context decoder;
    };
    std::vector<std::unique_ptr<Certificate>> certificates_;
    std::vector<br_x509_trust_anchor> anchors_;
};

// The validator of fingerprints, and of nothing at all.
struct Unchained {
    const br_x509_class *vtable;
    const uint8_t *fingerprint;
    br_sha1_context sha1;
    br_x509_decoder_context decoder;
    bool seen;
};

class WiFiClientSecure : public WiFiClient
{
  public:
    WiFiClientSecure() { setBufferSizes(16384, 512); }
    ~WiFiClientSecure() override { release(); }

    int connect(IPAddress ip, uint16_t port) override;
    int connect(const char *name, uint16_t port) override;
    uint8_t connected() override;
    size_t write(const uint8_t *buf, size_t size) override;
    int available() override;
    int read(uint8_t *buf, size_t size) override;
    void stop() override;

    void setInsecure();
    void setKnownKey(const PublicKey *pk, unsigned usages = BR_KEYTYPE_KEYX | BR_KEYTYPE_SIGN);
    bool setFingerprint(const uint8_t fingerprint[20]);
    void setTrustAnchors(const X509List *ta);
    void setX509Time(time_t now) { now_ = now; }
    void setBufferSizes(int recv, int xmit);
    int getMFLNStatus();
    int getLastSSLError(char *dest = NULL, size_t len = 0);
    static bool probeMaxFragmentLength(IPAddress ip, uint16_t port, uint16_t len);
    static bool probeMaxFragmentLength(const char *hostname, uint16_t port, uint16_t len);

  private:
    void trust_nobody();
    void install_validator();
    bool handshake(const char *name);
    bool run_until(unsigned target, bool blocking);
    void release();

    std::unique_ptr<br_ssl_client_context> client_;
    std::unique_ptr<br_x509_minimal_context> chain_;
    std::unique_ptr<br_x509_knownkey_context> key_;
    std::unique_ptr<Unchained> unchained_;
    std::vector<unsigned char> in_, out_;
    std::string hello_; // how the server began
    bool ready_ = false;
    time_t now_ = 0;
    const X509List *anchors_ = nullptr;
    const PublicKey *known_ = nullptr;
    unsigned usages_ = 0;
    bool insecure_ = false;
    bool use_fingerprint_ = false;
    uint8_t fingerprint_[20] = {};
};

} // namespace BearSSL

using namespace BearSSL;
