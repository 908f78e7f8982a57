/* Keys that everyone knows. */
#ifndef ESPSEAL_CLASSIC_KNOWN_H
#define ESPSEAL_CLASSIC_KNOWN_H

#include "classic.h"

/* ARTICLE_KEYS if a key is printed in the article, PLACEHOLDER_KEYS if it is an example's. */
ESPSEAL_MUST_USE espseal_error espseal_classic_known(const espseal_classic_secrets *secrets);

#endif
