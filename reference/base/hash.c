/* SHA-256: see hash.h. */
#include "reference/base/hash.h"

#include "reference/base/file.h"
#include "reference/base/memory.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct lfm_hash {
    EVP_MD_CTX *context;
};

enum lfm_status lfm_hash_new(struct lfm_hash **out, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(out, 1, error));
    (*out)->context = EVP_MD_CTX_new();
    if ((*out)->context && EVP_DigestInit_ex((*out)->context, EVP_sha256(), NULL) == 1) return LFM_OK;
    lfm_hash_free(*out);
    *out = NULL;
    return lfm_fail(error, LFM_ERROR_MEMORY, "cannot start a SHA-256 digest");
}

enum lfm_status lfm_hash_update(struct lfm_hash *hash, const void *bytes, size_t length, struct lfm_error *error)
{
    if (EVP_DigestUpdate(hash->context, bytes, length) == 1) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_MEMORY, "cannot continue a SHA-256 digest");
}

enum lfm_status lfm_hash_finish(struct lfm_hash *hash, char text[LFM_SHA256_TEXT], struct lfm_error *error)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (EVP_DigestFinal_ex(hash->context, digest, NULL) != 1)
        return lfm_fail(error, LFM_ERROR_MEMORY, "cannot finish a SHA-256 digest");
    for (int i = 0; i < 32; i++) snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return LFM_OK;
}

void lfm_hash_free(struct lfm_hash *hash)
{
    if (!hash) return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

enum lfm_status lfm_sha256(const void *bytes, size_t length, char text[LFM_SHA256_TEXT], struct lfm_error *error)
{
    struct lfm_hash *hash;
    LFM_TRY(lfm_hash_new(&hash, error));
    enum lfm_status status = lfm_hash_update(hash, bytes, length, error);
    if (status == LFM_OK) status = lfm_hash_finish(hash, text, error);
    lfm_hash_free(hash);
    return status;
}

enum lfm_status lfm_sha256_file(const char *path, char text[LFM_SHA256_TEXT], struct lfm_error *error)
{
    struct lfm_mapping mapping;
    LFM_TRY(lfm_mapping_open(&mapping, path, error));
    enum lfm_status status = lfm_sha256(mapping.data, mapping.size, text, error);
    lfm_mapping_close(&mapping);
    return status;
}
