/* Provenance: see provenance.h. */
#include "reference/trace/provenance.h"

#include "reference/base/json.h"
#include "reference/base/memory.h"

#include <errno.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

enum lfm_status lfm_config_to_json(char **out, const struct lfm_config *config, struct lfm_error *error)
{
    cJSON *document = lfm_config_json(config);
    *out = cJSON_PrintUnformatted(document);
    cJSON_Delete(document);
    return *out ? LFM_OK : lfm_fail(error, LFM_ERROR_MEMORY, "cannot print the configuration: out of memory");
}

static enum lfm_status hash_token(struct lfm_hash *hash, const struct lfm_tokenizer *tokenizer, int32_t id,
                                  struct lfm_error *error)
{
    const char *bytes;
    size_t length;
    char head[64];
    LFM_TRY(lfm_token_bytes(tokenizer, id, &bytes, &length, error));
    int used = snprintf(head, sizeof head, "%d\t%zu\t", (int)id, length);
    LFM_TRY(lfm_hash_update(hash, head, (size_t)used, error));
    LFM_TRY(lfm_hash_update(hash, bytes, length, error));
    return lfm_hash_update(hash, "\n", 1, error);
}

enum lfm_status lfm_tokenizer_sha256(const struct lfm_tokenizer *tokenizer, char text[LFM_SHA256_TEXT],
                                     struct lfm_error *error)
{
    enum { UNUSED = 5 };
    struct lfm_tokenizer_tables tables;
    struct lfm_hash *hash = NULL;
    LFM_TRY(lfm_tokenizer_tables(tokenizer, &tables, error));
    enum lfm_status status = lfm_hash_new(&hash, error);
    for (size_t id = 0; status == LFM_OK && id < lfm_vocabulary_size(tokenizer); id++)
        if (tables.types[id] != UNUSED) status = hash_token(hash, tokenizer, (int32_t)id, error);
    if (status == LFM_OK) status = lfm_hash_finish(hash, text, error);
    lfm_hash_free(hash);
    return status;
}

/* Reproducible builds' convention: SOURCE_DATE_EPOCH, seconds since 1970, stands in for the clock. */
static enum lfm_status format_time(char *out, size_t size, struct lfm_error *error)
{
    time_t now = time(NULL);
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    if (epoch && *epoch) {
        char *end;
        errno = 0;
        long long seconds = strtoll(epoch, &end, 10);
        if (errno || *end || seconds < 0)
            return lfm_fail(error, LFM_ERROR_ARGUMENT, "SOURCE_DATE_EPOCH must be seconds since 1970, not '%s'", epoch);
        now = (time_t)seconds;
    }
    struct tm calendar;
    if (!gmtime_r(&now, &calendar) || strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &calendar) == 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "SOURCE_DATE_EPOCH '%s' is no date", epoch ? epoch : "");
    return LFM_OK;
}

void lfm_cpu_name(char *out, size_t size)
{
    struct utsname machine;
    snprintf(out, size, "%s", uname(&machine) == 0 ? machine.machine : "unknown");
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        colon += strspn(colon, ": \t");
        snprintf(out, size, "%.*s", (int)strcspn(colon, "\n"), colon);
        break;
    }
    if (file) fclose(file);
}

enum lfm_status lfm_provenance_collect(struct lfm_provenance *out, const struct lfm_model *model,
                                       const struct lfm_tokenizer *tokenizer, uint64_t seed,
                                       struct lfm_progress *progress, struct lfm_error *error)
{
    *out = (struct lfm_provenance){
        .model = model->checkpoint->name,
        .weights = lfm_weights_name(model),
        .activations = lfm_activations_name(model->activations),
        .kv = model->kv->name,
        .bits_per_weight = lfm_model_bits_per_weight(model),
        .seed = seed,
        .threads = (size_t)omp_get_max_threads(),
    };
    lfm_cpu_name(out->cpu, sizeof out->cpu);
    LFM_TRY(format_time(out->created, sizeof out->created, error));
    LFM_TRY(lfm_checkpoint_sha256(model->checkpoint, out->sha256, progress, error));
    if (tokenizer) LFM_TRY(lfm_tokenizer_sha256(tokenizer, out->tokenizer_sha256, error));
    return lfm_config_to_json(&out->config, &model->config, error);
}

void lfm_provenance_release(struct lfm_provenance *provenance)
{
    free(provenance->config);
    *provenance = (struct lfm_provenance){0};
}
