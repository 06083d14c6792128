/* Chunks of traces: what zlib inflates and unshuffling puts together is what went in, whatever it looks like. */
#include "reference/trace/deflate.h"
#include "tests/unit/assert.h"

#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

static struct lfm_error error;

/* Encodes, inflates with zlib, unshuffles, compares. Returns the encoded length. */
static size_t check_round_trip(const unsigned char *elements, size_t n, size_t size)
{
    struct lfm_chunk chunk = {0};
    size_t bytes = n * size;
    assert_ok(lfm_deflate_chunk(&chunk, elements, n, size, &error));
    unsigned char *planes = malloc(bytes + 1);
    uLongf inflated = bytes + 1;
    cr_assert_eq(uncompress(planes, &inflated, chunk.bytes, chunk.length), Z_OK);
    cr_assert_eq(inflated, bytes);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < size; k++)
            cr_assert_eq(planes[k * n + i], elements[i * size + k], "byte %zu of element %zu", k, i);
    free(planes);
    free(chunk.bytes);
    return chunk.length;
}

static unsigned char *noise(size_t bytes)
{
    unsigned char *out = malloc(bytes + 1);
    uint64_t state = 1;
    for (size_t i = 0; i < bytes; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        out[i] = (unsigned char)(state >> 56);
    }
    return out;
}

static const size_t sizes[] = {1, 2, 4, 8}, counts[] = {1, 2, 255, 4097, 65536, 100000};

Test(deflate, noise_comes_back_and_hardly_grows)
{
    for (size_t s = 0; s < 4; s++)
        for (size_t c = 0; c < 6; c++) {
            unsigned char *elements = noise(counts[c] * sizes[s]);
            size_t bytes = counts[c] * sizes[s];
            cr_assert_leq(check_round_trip(elements, counts[c], sizes[s]), bytes + bytes / 1000 + 100);
            free(elements);
        }
}

Test(deflate, zeros_and_runs_come_back_small)
{
    for (size_t s = 0; s < 4; s++) {
        size_t bytes = 100000 * sizes[s];
        unsigned char *elements = calloc(bytes, 1);
        cr_assert_lt(check_round_trip(elements, 100000, sizes[s]), bytes / 50);
        memset(elements + bytes / 2, 7, bytes / 2);
        cr_assert_lt(check_round_trip(elements, 100000, sizes[s]), bytes / 50);
        free(elements);
    }
}

Test(deflate, floats_come_back_smaller)
{
    enum { N = 65536 };
    float *values = malloc(N * sizeof *values);
    unsigned char *random = noise(4 * N);
    for (size_t i = 0; i < N; i++) {
        uint32_t bits;
        memcpy(&bits, random + 4 * i, sizeof bits);
        values[i] = (float)bits / 4294967296.0f - 0.5f;
    }
    cr_assert_lt(check_round_trip((const unsigned char *)values, N, 4), 4 * N * 9 / 10);
    free(random);
    free(values);
}

/* A sample that sees one thing, a plane that holds another: the worst that choosing a manner can do. */
Test(deflate, a_misleading_sample_is_still_right)
{
    enum { N = 1 << 20, STEP = N / 4096 };
    unsigned char *elements = noise(N), *calm = calloc(N, 1);
    for (size_t i = 0; i < N; i += STEP) elements[i] = (unsigned char)(i / STEP % 5); /* looks calm, is noise */
    cr_assert_leq(check_round_trip(elements, N, 1), N + N / 8);
    for (size_t i = 0; i < N; i += STEP) calm[i] = (unsigned char)(i / STEP); /* looks like noise, is calm */
    check_round_trip(calm, N, 1);
    free(elements);
    free(calm);
}

Test(deflate, any_number_of_threads_makes_the_same_bytes)
{
    enum { N = 200000 };
    unsigned char *elements = noise(4 * N);
    struct lfm_chunk one = {0}, three = {0};
    omp_set_num_threads(1);
    assert_ok(lfm_deflate_chunk(&one, elements, N, 4, &error));
    omp_set_num_threads(3);
    assert_ok(lfm_deflate_chunk(&three, elements, N, 4, &error));
    cr_assert_eq(one.length, three.length);
    cr_assert_arr_eq(one.bytes, three.bytes, one.length);
    free(one.bytes);
    free(three.bytes);
    free(elements);
}

Test(deflate, nothing_comes_back_as_nothing)
{
    unsigned char none = 0;
    check_round_trip(&none, 0, 4);
}
