#include "tls_words.h"

#include <bearssl/bearssl.h>

namespace
{

// Of the core: there was no memory for TLS.
constexpr int kNoMemory = -1000;

bool is(const char *transport, const char *word)
{
    return strcmp(transport, word) == 0;
}

Sentence not_trusted(const char *transport)
{
    return is(transport, "fingerprint")
               ? F("The server's certificate has another fingerprint than tls_fingerprint. If it "
                   "was renewed, set the new one; if it was not, somebody is in between.")
               : F("The server's certificate does not come from tls_ca. Has the server another "
                   "CA, or does it not send its intermediate certificate?");
}

Sentence not_the_key(const char *transport)
{
    return is(transport, "public_key")
               ? F("The server has another key than tls_public_key. If it has a new key, set that; "
                   "if it has not, somebody is in between.")
               : F("The server signs with another key than its certificate's. Somebody is in "
                   "between, or its configuration mixes two certificates.");
}

// An alert that the server has sent.
Sentence refused(int alert, const char *transport)
{
    switch (alert) {
    case 20: // bad_record_mac
    case 21: // decryption_failed
    case 51: // decrypt_error
        return not_the_key(transport);
    case 40: // handshake_failure
        return F("The server refuses. It may want a certificate of the board (Mosquitto: "
                 "require_certificate false), or it allows no cipher suite that the board has.");
    case 41:
    case 42:
    case 43:
    case 44:
    case 45:
    case 46:
    case 116: // certificate_required
        return F("The server wants a certificate of the board, which has none (Mosquitto: "
                 "require_certificate false).");
    case 70: // protocol_version
        return F("The server wants another version of TLS. The board speaks 1.0 to 1.2: allow 1.2 "
                 "(Mosquitto: no line tls_version, or tls_version tlsv1.2).");
    case 71: // insufficient_security
        return F("The server allows no cipher suite that the board has. Allow ECDHE with AES-GCM "
                 "or CHACHA20-POLY1305 in TLS 1.2.");
    case 112: // unrecognized_name
        return F("The server knows no host of that name: check mqtt_host.");
    default:
        return F("The server refuses with an alert: look into its log.");
    }
}

Sentence certificate(int error, const char *transport)
{
    switch (error) {
    case BR_ERR_X509_NOT_TRUSTED:
        return not_trusted(transport);
    case BR_ERR_X509_BAD_SIGNATURE:
        return F("The server's certificate is not signed by tls_ca, though by one of that name. "
                 "Was the CA made anew? Then set its new certificate.");
    case BR_ERR_X509_EXPIRED:
        return F("The server's certificate has expired, or is not valid yet, at the time that the "
                 "board has from NTP. Renew it.");
    case BR_ERR_X509_TIME_UNKNOWN:
        return F("The board has no time to check the certificate with: check ntp_server, and that "
                 "UDP port 123 is open.");
    case BR_ERR_X509_BAD_SERVER_NAME:
        return F("The server's certificate is for another name than mqtt_host. It has to be among "
                 "the certificate's DNS names; an IP address never is: set a name.");
    case BR_ERR_X509_DN_MISMATCH:
        return F("The server's chain is out of order, or a link is missing: it has to send its own "
                 "certificate first, then the intermediate ones.");
    case BR_ERR_X509_NOT_CA:
    case BR_ERR_X509_FORBIDDEN_KEY_USAGE:
        return F("A certificate in the chain may not sign others. Is tls_ca a CA's certificate "
                 "(basicConstraints CA:TRUE)?");
    case BR_ERR_X509_WEAK_PUBLIC_KEY:
        return F("A key in the server's chain is too short: RSA needs 1024 bits at least, better "
                 "2048, or take P-256.");
    case BR_ERR_X509_LIMIT_EXCEEDED:
        return F("A key in the server's chain is too long: RSA has 4096 bits at most, or take "
                 "P-256.");
    case BR_ERR_X509_WRONG_KEY_TYPE:
        return F("The server has a key of another type than expected. RSA and P-256 are not the "
                 "same: set what it has now.");
    case BR_ERR_X509_EMPTY_CHAIN:
        return F("The server sends no certificate: look into its configuration.");
    case BR_ERR_X509_CRITICAL_EXTENSION:
    case BR_ERR_X509_UNSUPPORTED:
        return F("The server's certificate has something in it that the board does not know and "
                 "must not ignore: make a simpler one.");
    default:
        return F("The server's certificate cannot be read.");
    }
}

} // namespace

Sentence tls_words(int error, const char *transport)
{
    if (error >= BR_ERR_SEND_FATAL_ALERT) {
        return F("The board has refused what the server sent.");
    }
    if (error >= BR_ERR_RECV_FATAL_ALERT) {
        return refused(error - BR_ERR_RECV_FATAL_ALERT, transport);
    }
    if (error > BR_ERR_X509_OK) {
        return certificate(error, transport);
    }
    switch (error) {
    case kNoMemory:
        return F("There is not memory enough for TLS. Let the server allow small records "
                 "(max_fragment_length), or take a smaller certificate.");
    case BR_ERR_BAD_SIGNATURE:
        return not_the_key(transport);
    case BR_ERR_WRONG_KEY_USAGE:
        return F("The server's key is not of the type that it was pinned with. RSA and P-256 are "
                 "not the same: set what it has now.");
    case BR_ERR_UNSUPPORTED_VERSION:
    case BR_ERR_BAD_VERSION:
    case BR_ERR_UNKNOWN_TYPE:
    case BR_ERR_BAD_HANDSHAKE:
        return F("What answers does not speak TLS 1.2. Is it the port of TLS (8883), and does the "
                 "server allow TLS 1.2?");
    case BR_ERR_TOO_LARGE:
    case BR_ERR_BAD_LENGTH:
    case BR_ERR_BAD_FRAGLEN:
        return F("The server sends larger records than it agreed to: it is asked anew.");
    case BR_ERR_BAD_CIPHER_SUITE:
    case BR_ERR_INVALID_ALGORITHM:
        return F("The server takes a cipher suite, curve or hash that the board has not. Allow "
                 "ECDHE on P-256 or X25519 with AES-GCM or CHACHA20-POLY1305 in TLS 1.2.");
    case BR_ERR_LIMIT_EXCEEDED:
        return F("The server's key is too long: RSA has 4096 bits at most, or take P-256.");
    case BR_ERR_BAD_MAC:
    case BR_ERR_BAD_FINISHED:
        return F("What came was changed on the way, or memory fails.");
    case BR_ERR_OK:
    case BR_ERR_IO:
        return F("It does not answer, or broke off before TLS was agreed. Is the broker on, is it "
                 "the port of TLS (8883), and is no firewall in between?");
    default:
        return F("The handshake failed: look into the server's log.");
    }
}
