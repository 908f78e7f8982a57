// The keys and certificates that a client of TLS is given.
#include <WiFiClientSecure.h>

namespace BearSSL
{

namespace
{

// One element of DER at a time; what does not fit is of tag 0.
struct Der {
    const uint8_t *at, *end;

    bool take(uint8_t tag, Der *inner)
    {
        if (end - at < 2 || at[0] != tag) {
            return false;
        }
        size_t length = at[1];
        const uint8_t *body = at + 2;
        if (length >= 0x80) {
            const size_t digits = length & 0x7f;
            length = 0;
            if (digits > 4 || static_cast<size_t>(end - body) < digits) {
                return false;
            }
            for (size_t digit = 0; digit < digits; digit++) {
                length = length << 8 | *body++;
            }
        }
        if (static_cast<size_t>(end - body) < length) {
            return false;
        }
        *inner = {body, body + length};
        at = body + length;
        return true;
    }
    bool is(const std::vector<uint8_t> &bytes) const
    {
        return std::vector<uint8_t>(at, end) == bytes;
    }
    size_t size() const { return static_cast<size_t>(end - at); }
};

enum : uint8_t { kInteger = 2, kBits = 3, kObject = 6, kSequence = 0x30 };
const std::vector<uint8_t> kRsa = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1};
const std::vector<uint8_t> kEc = {0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1};
const std::vector<uint8_t> kP256 = {0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};

} // namespace

bool PublicKey::parse(const uint8_t *derKey, size_t derLen)
{
    bytes_.assign(derKey, derKey + derLen);
    Der all = {bytes_.data(), bytes_.data() + bytes_.size()};
    Der info, algorithm, object, curve, key, numbers, n, e;
    if (!all.take(kSequence, &info) || !info.take(kSequence, &algorithm) ||
        !algorithm.take(kObject, &object) || !info.take(kBits, &key) || key.size() < 2 ||
        *key.at++ != 0) {
        return false;
    }
    if (object.is(kRsa) && key.take(kSequence, &numbers) && numbers.take(kInteger, &n) &&
        numbers.take(kInteger, &e)) {
        rsa_ = {const_cast<uint8_t *>(n.at), n.size(), const_cast<uint8_t *>(e.at), e.size()};
        return true;
    }
    if (object.is(kEc) && algorithm.take(kObject, &curve) && curve.is(kP256)) {
        ec_ = {BR_EC_secp256r1, const_cast<uint8_t *>(key.at), key.size()};
        return true;
    }
    return false;
}

bool X509List::append(const uint8_t *derCert, size_t derLen)
{
    auto certificate = std::make_unique<Certificate>();
    br_x509_decoder_init(
        &certificate->decoder,
        [](void *context, const void *bytes, size_t count) {
            static_cast<std::string *>(context)->append(static_cast<const char *>(bytes), count);
        },
        &certificate->name);
    br_x509_decoder_push(&certificate->decoder, derCert, derLen);
    br_x509_pkey *const key = br_x509_decoder_get_pkey(&certificate->decoder);
    if (key == nullptr) {
        return false;
    }
    br_x509_trust_anchor anchor = {};
    anchor.dn.data = reinterpret_cast<unsigned char *>(&certificate->name[0]);
    anchor.dn.len = certificate->name.size();
    anchor.flags = br_x509_decoder_isCA(&certificate->decoder) ? BR_X509_TA_CA : 0;
    anchor.pkey = *key;
    certificates_.push_back(std::move(certificate));
    anchors_.push_back(anchor);
    return true;
}

} // namespace BearSSL
