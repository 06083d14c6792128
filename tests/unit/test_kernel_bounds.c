/* No kernel reads or writes beyond what it was given: every buffer lies right behind a page that can't be touched, then
 * right before one, where a load or a store ends the test; and what is left of its own pages stays zero. Kernels are not
 * compiled with AddressSanitizer (Makefile); this is what watches them, in every build. */
#include "assert.h"
#include "reference/model/kernels.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Buffers of one call. */
struct buffers {
    bool at_end; /* of their pages */
    size_t n;
    struct buffer {
        unsigned char *pages, *at; /* pages[room], of which the buffer is at[bytes] */
        size_t room, bytes;
    } mapped[12];
};

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* `bytes` bytes that make small numbers of any type, between two pages that can't be touched. */
static void *take(struct buffers *buffers, size_t bytes, size_t alignment)
{
    size_t page = page_size(), room = (bytes + alignment + page - 1) / page * page;
    int zero = open("/dev/zero", O_RDWR);
    unsigned char *pages = mmap(NULL, room + 2 * page, PROT_NONE, MAP_PRIVATE, zero, 0);
    cr_assert(zero >= 0 && pages != MAP_FAILED && mprotect(pages + page, room, PROT_READ | PROT_WRITE) == 0);
    close(zero);
    cr_assert_lt(buffers->n, sizeof buffers->mapped / sizeof buffers->mapped[0]);
    unsigned char *at = pages + page + (buffers->at_end ? (room - bytes) / alignment * alignment : 0);
    buffers->mapped[buffers->n++] = (struct buffer){pages + page, at, room, bytes};
    return memset(at, 0x21, bytes);
}

static float *take_floats(struct buffers *buffers, size_t n)
{
    return take(buffers, n * sizeof(float), sizeof(float));
}

static void assert_rest_is_zero(const struct buffer *buffer)
{
    size_t first = (size_t)(buffer->at - buffer->pages), i = 0;
    while (i < buffer->room && ((i >= first && i < first + buffer->bytes) || buffer->pages[i] == 0)) i++;
    cr_assert_eq(i, buffer->room, "byte %zu beside a buffer of %zu bytes at %zu was written", i, buffer->bytes, first);
}

static void release(struct buffers *buffers)
{
    while (buffers->n > 0) {
        const struct buffer *buffer = &buffers->mapped[--buffers->n];
        assert_rest_is_zero(buffer);
        munmap(buffer->pages - page_size(), buffer->room + 2 * page_size());
    }
}

/* All products of rows of a format with T tokens. */
static void multiply_all(const struct lfm_kernels *set, const struct lfm_format *format, size_t rows, size_t T, size_t n,
                         struct buffers *buffers)
{
    const struct lfm_format_kernels *kernels = lfm_format_kernels(set, format);
    struct lfm_error error;
    size_t row_bytes;
    assert_ok(lfm_format_row_bytes(format, n, &row_bytes, &error));
    const void *stored = take(buffers, rows * row_bytes, 1);
    float *w = take_floats(buffers, rows * n), *x = take_floats(buffers, T * n), *y = take_floats(buffers, rows * T);
    set->multiply(y, rows, w, rows, x, T, n);
    if (kernels && kernels->decode_row)
        for (size_t r = 0; r < rows; r++) kernels->decode_row(w + r * n, (const char *)stored + r * row_bytes, n);
    if (kernels && kernels->multiply_stored && T <= LFM_MOST_DIRECT)
        kernels->multiply_stored(y, rows, stored, row_bytes, rows, x, T, n);
    if (format->group == 0) return;
    const struct lfm_q8_rows q8 = {.T = T,
                                   .n = n,
                                   .codes = take(buffers, T * n, 1),
                                   .scales = take_floats(buffers, T * n / LFM_Q8_BLOCK),
                                   .sums = take_floats(buffers, T * n / LFM_Q8_BLOCK),
                                   .half_sums = take_floats(buffers, T * n / LFM_Q8_HALF)};
    void *scratch = take(buffers, lfm_q8_scratch_bytes(T, n), 64);
    if (kernels && kernels->multiply_q8) kernels->multiply_q8(y, rows, stored, row_bytes, rows, &q8, scratch);
    else set->multiply_q8(y, rows, format, stored, row_bytes, rows, &q8, scratch);
}

static void attend(const struct lfm_kernels *set, size_t count, size_t n_heads, size_t A, struct buffers *buffers)
{
    size_t padded = (A + 15) / 16 * 16;
    float *q = take_floats(buffers, n_heads * A), *keys = take_floats(buffers, A * LFM_KEYS);
    float *scores = take_floats(buffers, n_heads * LFM_KEYS), *values = take_floats(buffers, count * padded);
    const struct lfm_running running = {take(buffers, n_heads * sizeof(double), sizeof(double)),
                                        take_floats(buffers, n_heads), take_floats(buffers, n_heads * padded), padded};
    set->multiply_keys(scores, keys, count, q, n_heads, A);
    set->take_scores(&running, scores, 0.125f, values, padded, count, n_heads);
}

/* Calls `run` for every supported set, with buffers at the start and at the end of their pages. */
static void for_each_set_and_end(void (*run)(const struct lfm_kernels *set, struct buffers *buffers))
{
    for (const struct lfm_kernels *const *set = lfm_kernel_sets; *set; set++)
        for (int at_end = 0; at_end < 2 && (*set)->supported(); at_end++)
            run(*set, &(struct buffers){.at_end = at_end});
}

static void run_products(const struct lfm_kernels *set, struct buffers *buffers)
{
    static const size_t rows[] = {1, 8, 16, 21}, tokens[] = {1, 2, 3, 4, 5, 9};
    for (const struct lfm_format *format = lfm_formats; format->name; format++)
        for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
            for (size_t t = 0; t < sizeof tokens / sizeof tokens[0]; t++)
                for (size_t blocks = 1; blocks <= 3; blocks += 2) {
                    size_t n = format->block_size > 32 ? format->block_size : 32;
                    multiply_all(set, format, rows[r], tokens[t], blocks * n, buffers);
                    release(buffers);
                }
}

Test(kernel_bounds, products_stay_within_rows_tokens_and_results)
{
    for_each_set_and_end(run_products);
}

static void run_attention(const struct lfm_kernels *set, struct buffers *buffers)
{
    for (size_t count = 1; count <= LFM_KEYS; count += 7)
        for (size_t n_heads = 1; n_heads <= LFM_HEADS; n_heads++)
            for (size_t A = 16; A <= 80; A += 24) {
                attend(set, count, n_heads, A, buffers);
                release(buffers);
            }
}

Test(kernel_bounds, attention_stays_within_keys_values_and_scores)
{
    for_each_set_and_end(run_attention);
}

static void run_silu(const struct lfm_kernels *set, struct buffers *buffers)
{
    for (size_t n = 1; n <= 40; n++) {
        set->silu_multiply(take_floats(buffers, n), take_floats(buffers, n), n);
        release(buffers);
    }
}

Test(kernel_bounds, silu_stays_within_its_elements)
{
    for_each_set_and_end(run_silu);
}
