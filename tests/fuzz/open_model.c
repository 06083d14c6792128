/* Opens damaged copies of a checkpoint, over and over: whatever the bytes say, the answer is a model or one line.
 *
 * usage: open_model CHECKPOINT FILE RUNS [SEED]
 *
 * FILE is the part that is damaged: a name inside the directory CHECKPOINT, or "." when CHECKPOINT is a .gguf file. Each
 * run damages a fresh copy in a few places of its head, where lengths, counts, names and offsets are, and opens the
 * model and its tokenizer. Built with SANITIZE=1, a read beyond the file or a leak ends the program. Prints how many
 * copies were refused and how many still opened; a message of several lines, or none, is a failure. */
#include "reference/base/file.h"
#include "reference/checkpoint/checkpoint.h"
#include "reference/model/model.h"
#include "reference/model/tokenizer.h"

#include <gsl/gsl_rng.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 16384 };

static const uint64_t telling_values[] = {
    0, 1, 2, 7, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
    0x8000000000000000, 0xffffffffffffffff, 0xfffffffffffffff8, 0x2000000000000000,
};

static void overwrite(gsl_rng *rng, uint8_t *bytes, size_t size)
{
    size_t n_values = sizeof telling_values / sizeof telling_values[0];
    uint64_t value = telling_values[gsl_rng_uniform_int(rng, n_values)];
    size_t width = (size_t)1 << gsl_rng_uniform_int(rng, 4);
    size_t at = gsl_rng_uniform_int(rng, size);
    memcpy(bytes + at, &value, width < size - at ? width : size - at);
}

/* Another printable character in the place of one: what keeps JSON valid and changes its meaning. */
static void misspell(gsl_rng *rng, uint8_t *bytes, size_t size)
{
    static const char characters[] = "0123456789-.eE[]{}\",:abN ";
    bytes[gsl_rng_uniform_int(rng, size)] = (uint8_t)characters[gsl_rng_uniform_int(rng, sizeof characters - 1)];
}

static void move(gsl_rng *rng, uint8_t *bytes, size_t size)
{
    size_t length = 1 + gsl_rng_uniform_int(rng, size < 64 ? size : 64);
    size_t from = gsl_rng_uniform_int(rng, size - length + 1), to = gsl_rng_uniform_int(rng, size - length + 1);
    memmove(bytes + to, bytes + from, length);
}

/* Returns the new size. */
static size_t damage(gsl_rng *rng, uint8_t *bytes, size_t size)
{
    size_t head = size < HEAD ? size : HEAD;
    if (gsl_rng_uniform_int(rng, 2)) head = head < 256 ? head : 256;
    for (size_t places = 1 + gsl_rng_uniform_int(rng, 4); places > 0; places--) {
        size_t kind = gsl_rng_uniform_int(rng, 4);
        if (kind == 0) overwrite(rng, bytes, head);
        if (kind == 1) bytes[gsl_rng_uniform_int(rng, head)] ^= (uint8_t)(1u << gsl_rng_uniform_int(rng, 8));
        if (kind == 2) misspell(rng, bytes, head);
        if (kind == 3) move(rng, bytes, head);
    }
    return gsl_rng_uniform_int(rng, 20) ? size : gsl_rng_uniform_int(rng, size);
}

static void give_up(const char *what, const struct lfm_error *error)
{
    fprintf(stderr, "open_model: %s: %s\n", what, error->message);
    exit(1);
}

/* Counts a refusal; its message must be one line. */
static void judge(enum lfm_status status, const struct lfm_error *error, size_t *refused)
{
    if (status == LFM_OK) return;
    ++*refused;
    if (error->message[0] == '\0' || strchr(error->message, '\n')) give_up("not one line", error);
}

struct refusals {
    size_t models, tokenizers;
};

static void open_all(const char *path, struct refusals *refusals)
{
    struct lfm_checkpoint *checkpoint;
    struct lfm_tokenizer *tokenizer = NULL;
    struct lfm_model *model;
    struct lfm_error error = {0};
    enum lfm_status status = lfm_checkpoint_open(&checkpoint, path, &error);
    if (status == LFM_OK) {
        status = lfm_tokenizer_open(&tokenizer, checkpoint, &error);
        lfm_tokenizer_free(tokenizer);
        lfm_checkpoint_close(checkpoint);
    }
    judge(status, &error, &refusals->tokenizers);
    error.message[0] = '\0';
    status = lfm_model_open(&model, path, NULL, &error);
    if (status == LFM_OK) lfm_model_close(model);
    judge(status, &error, &refusals->models);
}

/* Opens `runs` damaged copies at `damaged`; `path` is what is opened. */
static void run(gsl_rng *rng, const struct lfm_buffer *whole, const char *path, const char *damaged, size_t runs)
{
    struct refusals refusals = {0};
    uint8_t *bytes = malloc(whole->length);
    for (size_t i = 0; i < runs && bytes; i++) {
        struct lfm_error error = {0};
        memcpy(bytes, whole->data, whole->length);
        size_t size = damage(rng, bytes, whole->length);
        if (lfm_write_file(damaged, bytes, size, &error) != LFM_OK) give_up("cannot write a copy", &error);
        open_all(path, &refusals);
    }
    free(bytes);
    printf("%zu damaged copies of %s: %zu refused as models, %zu as tokenizers\n", runs, damaged, refusals.models,
           refusals.tokenizers);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: open_model CHECKPOINT FILE RUNS [SEED]\n");
        return 2;
    }
    struct lfm_error error = {0};
    struct lfm_buffer whole = {0};
    char *damaged;
    bool is_file = strcmp(argv[2], ".") == 0;
    if (lfm_join_path(&damaged, argv[1], argv[2], &error) != LFM_OK) give_up("cannot start", &error);
    const char *path = is_file ? argv[1] : damaged;
    if (lfm_read_file(&whole, path, &error) != LFM_OK) give_up("cannot start", &error);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(rng, argc > 4 ? strtoul(argv[4], NULL, 10) : 1);
    run(rng, &whole, argv[1], path, strtoul(argv[3], NULL, 10));
    if (lfm_write_file(path, whole.data, whole.length, &error) != LFM_OK) give_up("cannot restore", &error);
    gsl_rng_free(rng);
    free(damaged);
    lfm_buffer_release(&whole);
    return 0;
}
