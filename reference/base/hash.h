/* SHA-256 by OpenSSL's libcrypto. */
#ifndef LFM_BASE_HASH_H
#define LFM_BASE_HASH_H

#include "reference/base/error.h"

#include <stddef.h>

#define LFM_SHA256_TEXT 65 /* 64 hexadecimal digits and a zero */

struct lfm_hash; /* a running digest; owned by the caller */

enum lfm_status lfm_hash_new(struct lfm_hash **out, struct lfm_error *error);
enum lfm_status lfm_hash_update(struct lfm_hash *hash, const void *bytes, size_t length, struct lfm_error *error);
/* Writes the digest as lower-case hexadecimal. The hash is used up; it is still to be freed. */
enum lfm_status lfm_hash_finish(struct lfm_hash *hash, char text[LFM_SHA256_TEXT], struct lfm_error *error);
void lfm_hash_free(struct lfm_hash *hash);

/* The digest of a byte string, and of a whole file. */
enum lfm_status lfm_sha256(const void *bytes, size_t length, char text[LFM_SHA256_TEXT], struct lfm_error *error);
enum lfm_status lfm_sha256_file(const char *path, char text[LFM_SHA256_TEXT], struct lfm_error *error);

#endif
