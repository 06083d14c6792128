/* Root attributes and axes: see header.h. */
#include "reference/trace/header.h"

#include "reference/base/json.h"
#include "reference/base/memory.h"
#include "reference/base/version.h"

#include <stdlib.h>

/* The attributes that readers need, once more as one JSON text of fixed length. */
static enum lfm_status put_summary(hid_t file, const char *format, const struct lfm_provenance *provenance,
                                   const char *path, struct lfm_error *error)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "format", format);
    cJSON_AddStringToObject(object, "created", provenance->created);
    cJSON_AddStringToObject(object, "model", provenance->model);
    cJSON_AddStringToObject(object, "sha256", provenance->sha256);
    cJSON_AddStringToObject(object, "tokenizer_sha256", provenance->tokenizer_sha256);
    cJSON_AddStringToObject(object, "weights", provenance->weights);
    cJSON_AddStringToObject(object, "activations", provenance->activations);
    cJSON_AddStringToObject(object, "kv", provenance->kv);
    lfm_json_add_number(object, "bits_per_weight", provenance->bits_per_weight);
    cJSON_AddRawToObject(object, "config", provenance->config);
    char *text = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    if (!text) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot print the header of '%s': out of memory", path);
    enum lfm_status status = lfm_h5_put_fixed_text(file, "header", text, path, error);
    cJSON_free(text);
    return status;
}

enum lfm_status lfm_h5_put_header(hid_t file, const char *format, const struct lfm_provenance *provenance,
                                  const char *path, struct lfm_error *error)
{
    const struct {
        const char *name, *text;
    } texts[] = {
        {"format", format},
        {"program", "lfmscope " LFM_VERSION},
        {"created", provenance->created},
        {"model", provenance->model},
        {"sha256", provenance->sha256},
        {"tokenizer_sha256", provenance->tokenizer_sha256},
        {"config", provenance->config},
        {"weights", provenance->weights},
        {"activations", provenance->activations},
        {"kv", provenance->kv},
        {"cpu", provenance->cpu},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        LFM_TRY(lfm_h5_put_text(file, texts[i].name, texts[i].text, path, error));
    LFM_TRY(put_summary(file, format, provenance, path, error));
    LFM_TRY(lfm_h5_put_whole(file, "version", LFM_TRACE_VERSION, path, error));
    LFM_TRY(lfm_h5_put_whole(file, "complete", 0, path, error));
    LFM_TRY(lfm_h5_put_whole(file, "seed", (int64_t)provenance->seed, path, error));
    LFM_TRY(lfm_h5_put_whole(file, "threads", (int64_t)provenance->threads, path, error));
    return lfm_h5_put_double(file, "bits_per_weight", provenance->bits_per_weight, path, error);
}

enum lfm_status lfm_h5_put_axis(hid_t *scale, hid_t parent, const char *name, const char *label, size_t n,
                                const char *path, struct lfm_error *error)
{
    int32_t *indices;
    *scale = -1;
    LFM_TRY(LFM_ALLOC(&indices, n, error));
    for (size_t i = 0; i < n; i++) indices[i] = (int32_t)i;
    enum lfm_status status = lfm_h5_put_array(scale, parent, name, H5T_STD_I32LE, 1, &n, indices, "index", path, error);
    if (status == LFM_OK) status = lfm_h5_declare_scale(*scale, label, path, error);
    free(indices);
    return status;
}
