/* Runs a fuzz target without libFuzzer: replays files, or mutates one at random from a seed.
 *
 *   fuzz-gguf FILE...                replays files, such as a crash that libFuzzer found
 *   fuzz-gguf --mutate N SEED        N mutants of the target's own valid file; the same for the same SEED
 *   fuzz-gguf --write FILE           writes that file */
#include "reference/base/buffer.h"
#include "tests/fuzz/readers/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* xorshift64*, Vigna 2016 */
static uint64_t state;

static uint64_t random_bits(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(2685821657736338717);
}

static size_t random_below(size_t n)
{
    return n ? (size_t)(random_bits() >> 11) % n : 0;
}

/* Runs on a copy of exactly that size, so that the address sanitizer sees every byte read too many. */
static void run(const void *bytes, size_t length)
{
    uint8_t *copy = malloc(length ? length : 1);
    if (length) memcpy(copy, bytes, length);
    LLVMFuzzerTestOneInput(copy, length);
    free(copy);
}

/* One change: a bit, a digit, a number that is often wrong, a cut, a repeated piece. */
static void mutate(struct lfm_buffer *text)
{
    static const uint64_t numbers[] = {0, 1, 2, 31, 255, 65536, UINT64_C(1) << 31, UINT64_C(1) << 32, UINT64_C(1) << 62,
                                       UINT64_C(1) << 63, UINT64_MAX - 31, UINT64_MAX};
    if (text->length == 0) return;
    size_t at = random_below(text->length), left = text->length - at, piece = 1 + random_below(left < 40 ? left : 40);
    uint64_t number = numbers[random_below(sizeof numbers / sizeof numbers[0])];
    char copy[40];
    memcpy(copy, text->data + at, piece);
    switch (random_below(6)) {
    case 0: text->data[at] ^= (char)(1 << random_below(8)); break;
    case 1: text->data[at] = "0123456789-.[]{}\",:\\u\n"[random_below(22)]; break;
    case 2: memcpy(text->data + at, &number, left < 8 ? left : 8); break;
    case 3: text->length = at; break;
    case 4: memmove(text->data + at, text->data + at + piece, left - piece), text->length -= piece; break;
    default: (void)lfm_buffer_append(text, copy, piece, NULL); break;
    }
}

static enum lfm_status run_mutants(size_t n, struct lfm_error *error)
{
    const char *parent = getenv("TMPDIR");
    char path[512];
    struct lfm_buffer seed = {0}, mutant = {0};
    snprintf(path, sizeof path, "%s/lfmscope-fuzz-XXXXXX", parent && *parent ? parent : P_tmpdir);
    int descriptor = mkstemp(path);
    if (descriptor < 0) return lfm_fail(error, LFM_ERROR_IO, "cannot make a temporary file '%s'; is TMPDIR right?", path);
    close(descriptor);
    enum lfm_status status = fuzz_write_seed(path, error);
    if (status == LFM_OK) status = lfm_read_file(&seed, path, error);
    unlink(path);
    for (size_t i = 0; i < n && status == LFM_OK; i++) {
        lfm_buffer_clear(&mutant);
        status = lfm_buffer_append(&mutant, seed.data, seed.length, error);
        for (size_t changes = random_below(4); changes > 0; changes--) mutate(&mutant);
        run(mutant.data, mutant.length);
    }
    lfm_buffer_release(&seed);
    lfm_buffer_release(&mutant);
    return status;
}

static enum lfm_status replay(const char *path, struct lfm_error *error)
{
    struct lfm_buffer file = {0};
    enum lfm_status status = lfm_read_file(&file, path, error);
    if (status == LFM_OK) run(file.data, file.length);
    lfm_buffer_release(&file);
    return status;
}

int main(int argc, char **argv)
{
    struct lfm_error error = {0};
    enum lfm_status status = LFM_OK;
    if (argc == 4 && strcmp(argv[1], "--mutate") == 0) {
        state = strtoull(argv[3], NULL, 10) + UINT64_C(0x9e3779b97f4a7c15);
        status = run_mutants((size_t)strtoull(argv[2], NULL, 10), &error);
    } else if (argc == 3 && strcmp(argv[1], "--write") == 0) {
        status = fuzz_write_seed(argv[2], &error);
    } else {
        for (int i = 1; i < argc && status == LFM_OK; i++) status = replay(argv[i], &error);
    }
    if (status != LFM_OK) fprintf(stderr, "%s: %s\n", argv[0], error.message);
    return status != LFM_OK;
}
