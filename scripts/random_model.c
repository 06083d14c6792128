/* A checkpoint of random weights, of any size: for timing and memory, where what the model says does not matter.
 *
 * usage: build/random-model OUT [options]     (make build/random-model)
 *
 * Writes a Hugging Face directory of the lfm2_moe architecture: config.json, bf16 safetensors in shards with their
 * index, and the tokenizer's files of another model when one is named. Without options it has the configuration of
 * LFM2.5-8B-A1B: 8,467,856,832 parameters. Tensors are streamed: memory does not grow with the model.
 *
 * Value i of a tensor comes from 16 bits of a hash of the tensor's seed and i, which choose one of 65,536 quantiles of
 * a normal distribution; so the bytes depend on the seed alone, not on threads or shards. Matrices, conv kernels and
 * expert biases are normal(0, 0.02), norms normal(1, 0.02); no value lies more than 4.4 standard deviations out. */
#include "quant/quantize.h"
#include "reference/base/command.h"
#include "reference/base/file.h"
#include "reference/base/memory.h"
#include "reference/base/threads.h"
#include "reference/checkpoint/safetensors.h"
#include "reference/model/names.h"
#include "reference/model/tokenizer.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_rng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DEVIATION 0.02
enum {
    QUANTILES = 1 << 16,
    PER_HASH = 4,             /* values from one hash of 64 bits */
    CHUNK = 4 << 20           /* values made and written together */
};

enum kind { MATRIX, NORM, BIAS, N_KINDS };

struct tensor {
    char name[128];
    enum kind kind;
    size_t n_dimensions, shape[3], elements, bytes, shard;
    uint64_t seed;
};

struct tensors {
    struct tensor *items;
    size_t count, capacity, bytes, n_shards;
    double shard_bytes;
    gsl_rng *seeds;
    const struct lfm_config *config;
    struct lfm_error *error;
};

/* --- what there is to write --- */

static const struct lfm_format *format_of(enum kind kind)
{
    return lfm_format_by_name(kind == BIAS ? "f32" : "bf16");
}

static uint64_t next_seed(gsl_rng *seeds)
{
    uint64_t high = gsl_rng_get(seeds), low = gsl_rng_get(seeds);
    return high << 32 | low;
}

/* Appends a tensor to the last shard, or to a new one when that is full. A shape ends at its first zero. */
static enum lfm_status add(struct tensors *tensors, enum lfm_tensor_role role, size_t layer, size_t expert, enum kind kind,
                           const size_t shape[3])
{
    struct tensor tensor = {.kind = kind, .elements = 1, .seed = next_seed(tensors->seeds)};
    for (; tensor.n_dimensions < 3 && shape[tensor.n_dimensions] > 0; tensor.n_dimensions++) {
        tensor.shape[tensor.n_dimensions] = shape[tensor.n_dimensions];
        tensor.elements *= shape[tensor.n_dimensions];
    }
    const char *pattern = lfm_tensor_name_pattern(LFM_HUGGING_FACE, LFM_ARCH_LFM2_MOE, role);
    snprintf(tensor.name, sizeof tensor.name, pattern, layer, expert);
    tensor.bytes = tensor.elements * format_of(kind)->block_bytes;
    size_t in_shard = tensor.bytes;
    for (size_t i = tensors->count; i > 0 && tensors->items[i - 1].shard + 1 == tensors->n_shards; i--)
        in_shard += tensors->items[i - 1].bytes;
    if (tensors->n_shards == 0 || (in_shard > tensor.bytes && (double)in_shard > tensors->shard_bytes)) tensors->n_shards++;
    tensor.shard = tensors->n_shards - 1;
    LFM_TRY(LFM_GROW(&tensors->items, &tensors->capacity, tensors->count + 1, tensors->error));
    tensors->items[tensors->count++] = tensor;
    tensors->bytes += tensor.bytes;
    return LFM_OK;
}

#define SHAPE(...) ((const size_t[3]){__VA_ARGS__})

static enum lfm_status add_operator(struct tensors *tensors, size_t l)
{
    const struct lfm_config *config = tensors->config;
    size_t D = config->hidden_size, A = config->head_dim, L = config->conv_l_cache;
    size_t H = config->num_attention_heads, G = config->num_key_value_heads;
    if (config->layer_types[l] == LFM_CONV) {
        LFM_TRY(add(tensors, LFM_TENSOR_CONV_IN_PROJ, l, 0, MATRIX, SHAPE(3 * D, D)));
        LFM_TRY(add(tensors, LFM_TENSOR_CONV, l, 0, MATRIX, SHAPE(D, 1, L)));
        return add(tensors, LFM_TENSOR_CONV_OUT_PROJ, l, 0, MATRIX, SHAPE(D, D));
    }
    LFM_TRY(add(tensors, LFM_TENSOR_Q_PROJ, l, 0, MATRIX, SHAPE(H * A, D)));
    LFM_TRY(add(tensors, LFM_TENSOR_K_PROJ, l, 0, MATRIX, SHAPE(G * A, D)));
    LFM_TRY(add(tensors, LFM_TENSOR_V_PROJ, l, 0, MATRIX, SHAPE(G * A, D)));
    LFM_TRY(add(tensors, LFM_TENSOR_OUT_PROJ, l, 0, MATRIX, SHAPE(D, H * A)));
    LFM_TRY(add(tensors, LFM_TENSOR_Q_LAYERNORM, l, 0, NORM, SHAPE(A)));
    return add(tensors, LFM_TENSOR_K_LAYERNORM, l, 0, NORM, SHAPE(A));
}

static enum lfm_status add_feed_forward(struct tensors *tensors, size_t l)
{
    const struct lfm_config *config = tensors->config;
    size_t D = config->hidden_size, F = config->intermediate_size, M = config->moe_intermediate_size;
    if (!lfm_layer_is_moe(config, l)) {
        LFM_TRY(add(tensors, LFM_TENSOR_W1, l, 0, MATRIX, SHAPE(F, D)));
        LFM_TRY(add(tensors, LFM_TENSOR_W3, l, 0, MATRIX, SHAPE(F, D)));
        return add(tensors, LFM_TENSOR_W2, l, 0, MATRIX, SHAPE(D, F));
    }
    LFM_TRY(add(tensors, LFM_TENSOR_ROUTER, l, 0, MATRIX, SHAPE(config->num_experts, D)));
    LFM_TRY(add(tensors, LFM_TENSOR_EXPERT_BIAS, l, 0, BIAS, SHAPE(config->num_experts)));
    for (size_t e = 0; e < config->num_experts; e++) {
        LFM_TRY(add(tensors, LFM_TENSOR_EXPERT_W1, l, e, MATRIX, SHAPE(M, D)));
        LFM_TRY(add(tensors, LFM_TENSOR_EXPERT_W3, l, e, MATRIX, SHAPE(M, D)));
        LFM_TRY(add(tensors, LFM_TENSOR_EXPERT_W2, l, e, MATRIX, SHAPE(D, M)));
    }
    return LFM_OK;
}

static enum lfm_status list_tensors(struct tensors *tensors)
{
    const struct lfm_config *config = tensors->config;
    size_t D = config->hidden_size;
    LFM_TRY(add(tensors, LFM_TENSOR_EMBED_TOKENS, 0, 0, MATRIX, SHAPE(config->vocab_size, D)));
    for (size_t l = 0; l < config->num_hidden_layers; l++) {
        LFM_TRY(add(tensors, LFM_TENSOR_OPERATOR_NORM, l, 0, NORM, SHAPE(D)));
        LFM_TRY(add_operator(tensors, l));
        LFM_TRY(add(tensors, LFM_TENSOR_FFN_NORM, l, 0, NORM, SHAPE(D)));
        LFM_TRY(add_feed_forward(tensors, l));
    }
    return add(tensors, LFM_TENSOR_EMBEDDING_NORM, 0, 0, NORM, SHAPE(D));
}

/* --- values --- */

/* The quantiles of each kind, in its stored type. */
struct tables {
    uint16_t bf16[BIAS][QUANTILES];
    float f32[QUANTILES];
};

static void fill_tables(struct tables *tables)
{
    const struct lfm_format *bf16 = lfm_format_by_name("bf16");
    float *norms = tables->f32; /* scratch first */
    for (size_t i = 0; i < QUANTILES; i++)
        norms[i] = (float)(1 + DEVIATION * gsl_cdf_ugaussian_Pinv(((double)i + 0.5) / QUANTILES));
    bf16->encode_row(tables->bf16[NORM], norms, QUANTILES);
    for (size_t i = 0; i < QUANTILES; i++)
        tables->f32[i] = (float)(DEVIATION * gsl_cdf_ugaussian_Pinv(((double)i + 0.5) / QUANTILES));
    bf16->encode_row(tables->bf16[MATRIX], tables->f32, QUANTILES);
}

/* The finishing steps of SplitMix64 (Steele, Lea, Flood 2014): every bit of the sum moves every bit of the result. */
static inline uint64_t hash(uint64_t seed, uint64_t counter)
{
    uint64_t x = seed + counter * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static void fill_bf16(uint16_t *out, const uint16_t *table, uint64_t seed, size_t first, size_t n)
{
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n / PER_HASH; i++) {
        uint64_t bits = hash(seed, first / PER_HASH + i);
        for (size_t k = 0; k < PER_HASH; k++) out[PER_HASH * i + k] = table[bits >> 16 * k & (QUANTILES - 1)];
    }
    for (size_t i = n / PER_HASH * PER_HASH; i < n; i++)
        out[i] = table[hash(seed, (first + i) / PER_HASH) >> 16 * (i % PER_HASH) & (QUANTILES - 1)];
}

static void fill(void *out, const struct tables *tables, const struct tensor *tensor, size_t first, size_t n)
{
    if (tensor->kind != BIAS) {
        fill_bf16(out, tables->bf16[tensor->kind], tensor->seed, first, n);
        return;
    }
    float *values = out;
    for (size_t i = 0; i < n; i++) values[i] = tables->f32[hash(tensor->seed, first + i) & (QUANTILES - 1)];
}

/* --- files --- */

struct writing {
    const struct tensors *tensors;
    const char *directory;
    const struct tables *tables;
    void *chunk;
    struct lfm_progress progress;
    size_t done;
    struct lfm_error *error;
};

static void shard_name(char name[64], size_t shard, size_t n_shards)
{
    if (n_shards == 1) snprintf(name, 64, "model.safetensors");
    else snprintf(name, 64, "model-%05zu-of-%05zu.safetensors", shard + 1, n_shards);
}

static enum lfm_status write_tensor(struct writing *writing, struct lfm_safetensors_writer *writer,
                                    const struct tensor *tensor)
{
    size_t width = tensor->bytes / tensor->elements;
    for (size_t first = 0; first < tensor->elements; first += CHUNK) {
        size_t n = tensor->elements - first < CHUNK ? tensor->elements - first : CHUNK;
        if (lfm_interrupted()) return lfm_fail(writing->error, LFM_ERROR_STOPPED, "stopped; the model is not complete");
        fill(writing->chunk, writing->tables, tensor, first, n);
        LFM_TRY(lfm_safetensors_write_data(writer, writing->chunk, n * width, writing->error));
        writing->done += n * width;
        lfm_progress_update(&writing->progress, (double)writing->done);
    }
    return LFM_OK;
}

static enum lfm_status write_shard(struct writing *writing, size_t shard)
{
    const struct tensors *tensors = writing->tensors;
    struct lfm_safetensors_writer *writer = NULL;
    char name[64], *path = NULL;
    enum lfm_status status;
    shard_name(name, shard, tensors->n_shards);
    LFM_TRY_DONE(lfm_join_path(&path, writing->directory, name, writing->error));
    LFM_TRY_DONE(lfm_safetensors_writer_open(&writer, path, writing->error));
    for (size_t i = 0; i < tensors->count; i++) {
        const struct tensor *tensor = &tensors->items[i];
        if (tensor->shard != shard) continue;
        LFM_TRY_DONE(lfm_safetensors_add_tensor(writer, tensor->name, format_of(tensor->kind), tensor->n_dimensions,
                                                tensor->shape, writing->error));
    }
    LFM_TRY_DONE(lfm_safetensors_begin(writer, writing->error));
    for (size_t i = 0; i < tensors->count; i++)
        if (tensors->items[i].shard == shard) LFM_TRY_DONE(write_tensor(writing, writer, &tensors->items[i]));
    status = lfm_safetensors_commit(writer, writing->error);
done:
    lfm_safetensors_writer_close(writer);
    free(path);
    return status;
}

/* Writes the document into the directory and deletes it. */
static enum lfm_status write_document(const char *directory, const char *name, cJSON *document, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    char *path = NULL;
    enum lfm_status status = lfm_join_path(&path, directory, name, error);
    if (status == LFM_OK) status = lfm_json_print(&text, document, error);
    if (status == LFM_OK) status = lfm_write_file(path, text.data, text.length, error);
    lfm_buffer_release(&text);
    free(path);
    cJSON_Delete(document);
    return status;
}

static enum lfm_status write_index(const struct tensors *tensors, const char *directory)
{
    if (tensors->n_shards == 1) return LFM_OK;
    cJSON *document = cJSON_CreateObject();
    lfm_json_add_number(cJSON_AddObjectToObject(document, "metadata"), "total_size", (double)tensors->bytes);
    cJSON *map = cJSON_AddObjectToObject(document, "weight_map");
    for (size_t i = 0; i < tensors->count; i++) {
        char name[64];
        shard_name(name, tensors->items[i].shard, tensors->n_shards);
        cJSON_AddStringToObject(map, tensors->items[i].name, name);
    }
    return write_document(directory, "model.safetensors.index.json", document, tensors->error);
}

/* config.json comes last: a directory without it is no model. */
static enum lfm_status write_model(struct writing *writing, const char *tokenizer, bool quiet)
{
    const struct tensors *tensors = writing->tensors;
    lfm_progress_start(&writing->progress, "writing", "bytes", (double)tensors->bytes, quiet);
    enum lfm_status status = LFM_OK;
    for (size_t shard = 0; status == LFM_OK && shard < tensors->n_shards; shard++) status = write_shard(writing, shard);
    lfm_progress_finish(&writing->progress);
    if (status == LFM_OK) status = write_index(tensors, writing->directory);
    if (status == LFM_OK && tokenizer) status = lfm_copy_companions(tokenizer, writing->directory, writing->error);
    if (status != LFM_OK) return status;
    cJSON *config = lfm_make_config(tensors->config);
    return write_document(writing->directory, "config.json", config, writing->error);
}

/* --- the request --- */

enum { UNSET = -1 };

struct request {
    const char *output, *scale, *tokenizer;
    double shard_bytes;
    size_t layers, dense_layers, hidden, intermediate, moe_intermediate, experts, experts_per_token, heads, kv_heads,
        vocabulary, context;
};

static void choose(size_t *size, size_t asked)
{
    if (asked != (size_t)UNSET) *size = asked;
}

/* Attention at 2, 6, 10, 14, 18 and 21, as in LFM2.5-8B-A1B; further layers go on in fours. */
static enum lfm_operator operator_of(size_t layer)
{
    bool attention = layer < 20 ? layer % 4 == 2 : layer % 4 == 1;
    return attention ? LFM_ATTENTION : LFM_CONV;
}

static enum lfm_status make_config(struct lfm_config *config, const struct request *request, struct lfm_error *error)
{
    static const struct lfm_config full = {
        .hidden_size = 2048, .num_hidden_layers = 24, .vocab_size = 128000, .max_position_embeddings = 128000,
        .num_attention_heads = 32, .num_key_value_heads = 8, .intermediate_size = 7168, .num_dense_layers = 2,
        .num_experts = 32, .num_experts_per_tok = 4, .moe_intermediate_size = 1792};
    static const struct lfm_config small = {
        .hidden_size = 64, .num_hidden_layers = 4, .vocab_size = 512, .max_position_embeddings = 4096,
        .num_attention_heads = 4, .num_key_value_heads = 2, .intermediate_size = 192, .num_dense_layers = 1,
        .num_experts = 8, .num_experts_per_tok = 2, .moe_intermediate_size = 96};
    if (strcmp(request->scale, "full") != 0 && strcmp(request->scale, "small") != 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "unknown scale '%s': expected full or small", request->scale);
    *config = strcmp(request->scale, "full") == 0 ? full : small;
    choose(&config->num_hidden_layers, request->layers);
    choose(&config->num_dense_layers, request->dense_layers);
    choose(&config->hidden_size, request->hidden);
    choose(&config->intermediate_size, request->intermediate);
    choose(&config->moe_intermediate_size, request->moe_intermediate);
    choose(&config->num_experts, request->experts);
    choose(&config->num_experts_per_tok, request->experts_per_token);
    choose(&config->num_attention_heads, request->heads);
    choose(&config->num_key_value_heads, request->kv_heads);
    choose(&config->vocab_size, request->vocabulary);
    choose(&config->max_position_embeddings, request->context);
    if (config->num_hidden_layers > LFM_MAX_LAYERS || config->num_attention_heads == 0)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "expected at most %d layers and at least one head", LFM_MAX_LAYERS);
    config->architecture = LFM_ARCH_LFM2_MOE;
    config->head_dim = config->hidden_size / config->num_attention_heads;
    config->conv_l_cache = 3;
    config->norm_topk_prob = config->use_expert_bias = config->tie_word_embeddings = true;
    config->routed_scaling_factor = 1;
    config->norm_eps = 1e-5;
    config->rope_theta = 5e6;
    for (size_t l = 0; l < config->num_hidden_layers; l++) config->layer_types[l] = operator_of(l);
    return LFM_OK;
}

/* Lets the reader of configurations judge. */
static enum lfm_status check_config(const struct lfm_config *config, const char *output, struct lfm_error *error)
{
    struct lfm_config read_back;
    struct lfm_checkpoint checkpoint = {.container = LFM_HUGGING_FACE};
    struct lfm_buffer text = {0};
    cJSON *document = lfm_make_config(config);
    enum lfm_status status = lfm_copy_string(&checkpoint.path, output, strlen(output), error);
    if (status == LFM_OK) status = lfm_json_print(&text, document, error);
    if (status == LFM_OK) status = lfm_json_parse(&checkpoint.config, text.data, text.length, output, error);
    if (status == LFM_OK) status = lfm_config_read(&read_back, &checkpoint, error);
    free(checkpoint.path);
    lfm_buffer_release(&text);
    cJSON_Delete(document);
    cJSON_Delete(checkpoint.config);
    return status;
}

/* The tokenizer must not have more tokens than the model. */
static enum lfm_status check_tokenizer(const char *path, size_t vocabulary, struct lfm_error *error)
{
    struct lfm_checkpoint *checkpoint = NULL;
    struct lfm_tokenizer *tokenizer = NULL;
    enum lfm_status status = lfm_checkpoint_open(&checkpoint, path, error);
    if (status == LFM_OK && checkpoint->container != LFM_HUGGING_FACE)
        status = lfm_fail(error, LFM_ERROR_ARGUMENT, "'%s' is not a Hugging Face directory, whose files can be copied", path);
    if (status == LFM_OK) status = lfm_tokenizer_open(&tokenizer, checkpoint, error);
    if (status == LFM_OK && lfm_vocabulary_size(tokenizer) > vocabulary)
        status = lfm_fail(error, LFM_ERROR_MISMATCH, "the tokenizer of '%s' has %zu tokens, the vocabulary only %zu", path,
                          lfm_vocabulary_size(tokenizer), vocabulary);
    lfm_tokenizer_free(tokenizer);
    lfm_checkpoint_close(checkpoint);
    return status;
}

/* Makes the directory, and fails when the model would not fit on its disk. */
static enum lfm_status prepare_directory(const char *path, size_t bytes, struct lfm_error *error)
{
    struct statvfs disk;
    if (lfm_file_exists(path))
        return lfm_fail(error, LFM_ERROR_IO, "cannot write to '%s': it exists", path);
    LFM_TRY(lfm_make_directory(path, error));
    if (statvfs(path, &disk) != 0) return LFM_OK;
    double available = (double)disk.f_bavail * (double)disk.f_frsize;
    if (available >= (double)bytes * 1.01) return LFM_OK;
    rmdir(path);
    return lfm_fail(error, LFM_ERROR_IO, "cannot write '%s': it takes %.1f GB, the disk has %.1f GB left", path,
                    (double)bytes / 1e9, available / 1e9);
}

static enum lfm_status write_all(const struct tensors *tensors, const struct request *request, bool quiet)
{
    struct writing writing = {.tensors = tensors, .directory = request->output, .error = tensors->error};
    struct tables *tables = NULL;
    enum lfm_status status;
    LFM_TRY_DONE(LFM_ALLOC(&tables, 1, tensors->error));
    LFM_TRY_DONE(lfm_alloc(&writing.chunk, CHUNK, sizeof(float), tensors->error));
    fill_tables(tables);
    writing.tables = tables;
    LFM_TRY_DONE(prepare_directory(request->output, tensors->bytes, tensors->error));
    status = write_model(&writing, request->tokenizer, quiet);
done:
    free(tables);
    free(writing.chunk);
    return status;
}

static enum lfm_status print_result(const struct tensors *tensors, const struct request *request, bool json, int argc,
                                    char **argv)
{
    size_t parameters = 0;
    for (size_t i = 0; i < tensors->count; i++) parameters += tensors->items[i].elements;
    if (!json) {
        printf("%s: %zu parameters, %zu tensors, %.1f MB in %zu shard%s\n", request->output, parameters, tensors->count,
               (double)tensors->bytes / 1e6, tensors->n_shards, tensors->n_shards == 1 ? "" : "s");
        return LFM_OK;
    }
    cJSON *document = lfm_json_document("random-model", argc, argv);
    cJSON_AddStringToObject(document, "output", request->output);
    lfm_json_add_number(document, "parameters", (double)parameters);
    lfm_json_add_number(document, "tensors", (double)tensors->count);
    lfm_json_add_number(document, "bytes", (double)tensors->bytes);
    lfm_json_add_number(document, "shards", (double)tensors->n_shards);
    return lfm_print_document(document, tensors->error);
}

static enum lfm_status run(const struct request *request, const struct lfm_common *common, int argc, char **argv,
                           struct lfm_error *error)
{
    struct lfm_config config;
    struct tensors tensors = {.shard_bytes = request->shard_bytes, .config = &config, .error = error};
    LFM_TRY(make_config(&config, request, error));
    LFM_TRY(check_config(&config, request->output, error));
    if (request->tokenizer) LFM_TRY(check_tokenizer(request->tokenizer, config.vocab_size, error));
    tensors.seeds = gsl_rng_alloc(gsl_rng_mt19937);
    if (!tensors.seeds) return lfm_fail(error, LFM_ERROR_MEMORY, "out of memory");
    gsl_rng_set(tensors.seeds, (unsigned long)common->seed);
    enum lfm_status status = list_tensors(&tensors);
    if (status == LFM_OK) status = write_all(&tensors, request, common->quiet);
    if (status == LFM_OK) status = print_result(&tensors, request, common->json, argc, argv);
    gsl_rng_free(tensors.seeds);
    free(tensors.items);
    return status;
}

int main(int argc, char **argv)
{
    size_t unset = (size_t)UNSET;
    struct request request = {.scale = "full", .shard_bytes = 4.5e9, .layers = unset, .dense_layers = unset,
                              .hidden = unset, .intermediate = unset, .moe_intermediate = unset, .experts = unset,
                              .experts_per_token = unset, .heads = unset, .kv_heads = unset, .vocabulary = unset,
                              .context = unset};
    const struct lfm_option options[] = {
        {"scale", "S", "what the sizes below start from: full or small (full)", LFM_OPTION_STRING, &request.scale},
        {"layers", "N", "num_hidden_layers (24, small 4)", LFM_OPTION_SIZE, &request.layers},
        {"dense-layers", "N", "num_dense_layers (2, small 1)", LFM_OPTION_SIZE, &request.dense_layers},
        {"hidden-size", "N", "hidden_size (2048, small 64)", LFM_OPTION_SIZE, &request.hidden},
        {"intermediate-size", "N", "intermediate_size (7168, small 192)", LFM_OPTION_SIZE, &request.intermediate},
        {"moe-intermediate-size", "N", "moe_intermediate_size (1792, small 96)", LFM_OPTION_SIZE,
         &request.moe_intermediate},
        {"experts", "N", "num_experts (32, small 8)", LFM_OPTION_SIZE, &request.experts},
        {"experts-per-token", "N", "num_experts_per_tok (4, small 2)", LFM_OPTION_SIZE, &request.experts_per_token},
        {"heads", "N", "num_attention_heads (32, small 4)", LFM_OPTION_SIZE, &request.heads},
        {"kv-heads", "N", "num_key_value_heads (8, small 2)", LFM_OPTION_SIZE, &request.kv_heads},
        {"vocabulary", "N", "vocab_size (128000, small 512)", LFM_OPTION_SIZE, &request.vocabulary},
        {"context", "N", "max_position_embeddings (128000, small 4096)", LFM_OPTION_SIZE, &request.context},
        {"tokenizer", "DIR", "copy the tokenizer's files from this model (none: it runs on token ids)",
         LFM_OPTION_STRING, &request.tokenizer},
        {"shard-bytes", "B", "start another file beyond this size (4.5e9)", LFM_OPTION_DOUBLE, &request.shard_bytes},
        {0},
    };
    const struct lfm_usage usage = {
        .program = "random-model",
        .name = "random-model",
        .arguments = "OUT [options]",
        .summary = "Writes a checkpoint of random weights with the configuration of LFM2.5-8B-A1B, or another size.",
        .options = options,
        .min_arguments = 1,
        .max_arguments = 1,
    };
    struct lfm_common common;
    struct lfm_strings arguments;
    int exit_code;
    lfm_start_with_sleeping_threads(argv);
    gsl_set_error_handler_off();
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &arguments, &exit_code)) return exit_code;
    request.output = arguments.items[0];
    lfm_catch_interrupts();
    struct lfm_error error;
    exit_code = lfm_report_status(run(&request, &common, argc, argv, &error), &error);
    lfm_strings_release(&arguments);
    return exit_code;
}
