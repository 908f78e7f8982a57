// What went wrong with TLS, and what to do about it.
#pragma once

#include "fields.h"

// `error` is what getLastSSLError says: one of BR_ERR_..., 256 or 512 and an alert's number, or
// -1000; `transport` the setting, for one error has several causes. Never nullptr.
Sentence tls_words(int error, const char *transport);
