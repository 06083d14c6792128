/* Attention in blocks of keys: see attention.h.
 *
 * A block of 64 keys is decoded and transposed once for all query heads of its group and up to 8 tokens, so that a
 * vector holds one element of 16 keys and 16 scores are formed at a time, each summed as kernels.h states. The values of
 * the block are decoded once as well. A single token, which would use a transposed block once, is multiplied with the keys
 * as they are stored. Per (token, head) there remain
 *
 *     largest   the largest score so far
 *     total     sum over keys of exp(score - largest): a block in 16 lanes, the blocks in double
 *     sums[A]   sum over keys of exp(score - largest) * value; a block is summed on its own, in the order of its keys
 *
 * and when a block has a larger score, total and sums are multiplied by exp(old largest - new largest). */
#include "reference/model/attention.h"

#include "reference/model/exp.h"

#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <string.h>

enum {
    BLOCK = 64,             /* keys */
    TOKENS = 8,             /* that go through a block together */
    ROWS = 4,               /* query heads whose weighted sums are formed together */
    WORTH_SHARING = 1 << 20 /* products below which waking other threads takes longer than it saves */
};

/* What is computed for the tokens of one sequence. */
struct task {
    const struct lfm_attention_part *part;
    size_t H, G, A;
    size_t padded; /* A rounded up to whole vectors */
    float scale;
};

/* The running results of the (token, head) pairs of a tile, token by token, and room for a block. */
struct room {
    double *totals;    /* [TOKENS*H] */
    float *largest;    /* [TOKENS*H] */
    float *sums;       /* [TOKENS*H, padded] */
    float *keys;       /* [A, BLOCK] transposed */
    float *rows;       /* [BLOCK, padded] keys, then values; nobody writes to the padding, which is zero */
};

static size_t whole_lanes(size_t n)
{
    return (n + LFM_LANES - 1) / LFM_LANES * LFM_LANES;
}

static size_t room_per_thread(size_t H, size_t A)
{
    size_t padded = whole_lanes(A), pairs = whole_lanes(TOKENS * H);
    return 3 * pairs + pairs * padded + 2 * BLOCK * padded;
}

size_t lfm_attention_room(size_t H, size_t A)
{
    return room_per_thread(H, A) * (size_t)omp_get_max_threads();
}

static struct room divide_room(float *floats, size_t H, size_t A)
{
    size_t padded = whole_lanes(A), pairs = whole_lanes(TOKENS * H);
    struct room room = {.totals = (double *)(void *)floats, .largest = floats + 2 * pairs};
    room.sums = room.largest + pairs;
    room.keys = room.sums + pairs * padded;
    room.rows = room.keys + BLOCK * padded;
    return room;
}

/* --- one block --- */

#define INLINE static inline __attribute__((always_inline))

typedef float quad __attribute__((vector_size(16)));
typedef float quad_in_memory __attribute__((vector_size(16), aligned(4), may_alias));

#if defined(__clang__)
#define MIX(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int32_t four __attribute__((vector_size(16)));
#define MIX(a, b, i, j, k, l) __builtin_shuffle(a, b, (four){i, j, k, l})
#endif

static quad load_quad(const float *from)
{
    return *(const quad_in_memory *)(const void *)from;
}

static void store_quad(float *to, quad value)
{
    *(quad_in_memory *)(void *)to = value;
}

/* to[a * BLOCK + k] = from[k * stride + a] for 4 by 4 elements. */
static void transpose_square(float *to, const float *from, size_t stride)
{
    quad r0 = load_quad(from), r1 = load_quad(from + stride);
    quad r2 = load_quad(from + 2 * stride), r3 = load_quad(from + 3 * stride);
    quad a = MIX(r0, r1, 0, 4, 1, 5), b = MIX(r2, r3, 0, 4, 1, 5);
    quad c = MIX(r0, r1, 2, 6, 3, 7), d = MIX(r2, r3, 2, 6, 3, 7);
    store_quad(to, MIX(a, b, 0, 1, 4, 5));
    store_quad(to + BLOCK, MIX(a, b, 2, 3, 6, 7));
    store_quad(to + 2 * BLOCK, MIX(c, d, 0, 1, 4, 5));
    store_quad(to + 3 * BLOCK, MIX(c, d, 2, 3, 6, 7));
}

/* to[A, BLOCK] from n rows of A elements. */
static void transpose(float *to, const float *from, size_t stride, size_t n, size_t A)
{
    size_t squares_a = A - A % 4, squares_k = n - n % 4;
    for (size_t k = 0; k < squares_k; k += 4)
        for (size_t a = 0; a < squares_a; a += 4) transpose_square(to + a * BLOCK + k, from + k * stride + a, stride);
    for (size_t k = 0; k < n; k++)
        for (size_t a = k < squares_k ? squares_a : 0; a < A; a++) to[a * BLOCK + k] = from[k * stride + a];
}

/* sum[r] = the sum of the partial sums lane, lane + 8, lane + 4 and lane + 12 of the dot products of q[r] with 16 keys. */
INLINE void sum_quarter(lfm_lanes *sum, const float *q, const float *keys, size_t A, size_t lane, size_t n_rows)
{
    static const size_t order[] = {0, 8, 4, 12};
    lfm_lanes part[4][ROWS];
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
#pragma GCC unroll 4
        for (size_t r = 0; r < n_rows; r++) part[i][r] = (lfm_lanes){0};
        for (size_t a = lane + order[i]; a < A; a += LFM_LANES) {
            lfm_lanes key = lfm_load(keys + a * BLOCK);
#pragma GCC unroll 4
            for (size_t r = 0; r < n_rows; r++) part[i][r] += q[r * A + a] * key;
        }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < n_rows; r++) sum[r] = (part[0][r] + part[1][r]) + (part[2][r] + part[3][r]);
}

/* The scores of 16 transposed keys, each row's BLOCK behind the one before: dot products with q[n_rows, A], their partial
 * sums added in the order of lfm_sum_lanes. */
INLINE void multiply_keys(float *scores, const float *q, const float *keys, size_t A, float scale, size_t n_rows)
{
    lfm_lanes half[2][ROWS];
    for (size_t odd = 0; odd < 2; odd++) {
        lfm_lanes first[ROWS], second[ROWS];
        sum_quarter(first, q, keys, A, odd, n_rows);
        sum_quarter(second, q, keys, A, odd + 2, n_rows);
#pragma GCC unroll 4
        for (size_t r = 0; r < n_rows; r++) half[odd][r] = first[r] + second[r];
    }
    for (size_t r = 0; r < n_rows; r++) {
        lfm_lanes score = (half[0][r] + half[1][r]) * scale;
        memcpy(scores + r * BLOCK, &score, sizeof score);
    }
}

INLINE float largest_lane(const lfm_lanes *lanes)
{
    float values[LFM_LANES], largest = -INFINITY;
    memcpy(values, lanes, sizeof values);
    for (size_t i = 0; i < LFM_LANES; i++) largest = values[i] > largest ? values[i] : largest;
    return largest;
}

INLINE double sum_in_double(const lfm_lanes *lanes)
{
    float values[LFM_LANES];
    double sum[LFM_LANES];
    memcpy(values, lanes, sizeof values);
    for (size_t i = 0; i < LFM_LANES; i++) sum[i] = (double)values[i];
    for (size_t half = LFM_LANES / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++) sum[i] += sum[i + half];
    return sum[0];
}

/* Turns the scores of `count` keys into exp(score - largest), and those behind them into 0 up to the end of their
 * vector; updates *largest and *total, and returns what the sums so far are to be multiplied by. */
INLINE float weigh(float *scores, size_t count, float *largest, double *total)
{
    const lfm_lanes nothing = (lfm_lanes){0} - INFINITY;
    lfm_lanes most = nothing, sum = {0};
    size_t end = (count + LFM_LANES - 1) / LFM_LANES * LFM_LANES;
    for (size_t i = count; i < end; i++) scores[i] = -INFINITY;
    for (size_t i = 0; i < end; i += LFM_LANES) {
        lfm_lanes score = lfm_load(scores + i);
        most = lfm_select(score > most, score, most);
    }
    float before = *largest, now = largest_lane(&most);
    *largest = now = now > before ? now : before;
    float shift = now > -INFINITY ? now : 0;
    for (size_t i = 0; i < end; i += LFM_LANES) {
        lfm_lanes weight = lfm_load(scores + i) - shift;
        lfm_exp_lanes(&weight);
        memcpy(scores + i, &weight, sizeof weight);
        sum += weight;
    }
    lfm_lanes shrink = (lfm_lanes){0} + (before - shift);
    lfm_exp_lanes(&shrink);
    *total = *total * (double)shrink[0] + sum_in_double(&sum);
    return shrink[0];
}

/* sums[r] = sums[r] * shrink[r] + sum over `count` keys of weights[r] * values. */
INLINE void add_values(float *sums, const float *shrink, float weights[ROWS][BLOCK], const float *values, size_t stride,
                       size_t count, size_t padded, size_t n_rows)
{
    for (size_t a = 0; a < padded; a += LFM_LANES) {
        lfm_lanes sum[ROWS] = {0};
        for (size_t k = 0; k < count; k++) {
            lfm_lanes value = lfm_load(values + k * stride + a);
#pragma GCC unroll 4
            for (size_t r = 0; r < n_rows; r++) sum[r] += weights[r][k] * value;
        }
#pragma GCC unroll 4
        for (size_t r = 0; r < n_rows; r++) {
            lfm_lanes all = lfm_load(sums + r * padded + a) * shrink[r] + sum[r];
            memcpy(sums + r * padded + a, &all, sizeof all);
        }
    }
}

/* Takes the scores of the first `count` keys of a block, whose values are rows `stride` apart, into the results of n_rows
 * query heads of one token. */
INLINE void take_scores(const struct room *room, size_t pair, float scores[ROWS][BLOCK], const float *values, size_t stride,
                        size_t count, size_t padded, size_t n_rows)
{
    float shrink[ROWS];
    for (size_t r = 0; r < n_rows; r++)
        shrink[r] = weigh(scores[r], count, &room->largest[pair + r], &room->totals[pair + r]);
    add_values(room->sums + pair * padded, shrink, scores, values, stride, count, padded, n_rows);
}

/* The same from the transposed keys of the room. */
INLINE void take_keys(const struct room *room, size_t pair, const float *q, size_t count, size_t A, float scale,
                      size_t n_rows)
{
    float scores[ROWS][BLOCK];
    size_t padded = (A + LFM_LANES - 1) / LFM_LANES * LFM_LANES;
    for (size_t k = 0; k < count; k += LFM_LANES)
        multiply_keys(&scores[0][k], q, room->keys + k, A, scale, n_rows);
    take_scores(room, pair, scores, room->rows, padded, count, padded, n_rows);
}

enum { USUAL_A = 64 }; /* compiled for its own sake */

/* The same for n_heads query heads, which share a key head. */
LFM_CLONES
static void take_block(const struct room *room, size_t pair, const float *q, size_t count, size_t n_heads, size_t A,
                       float scale)
{
    size_t h = 0;
    for (; A == USUAL_A && h + ROWS <= n_heads; h += ROWS)
        take_keys(room, pair + h, q + h * USUAL_A, count, USUAL_A, scale, ROWS);
    for (; h + ROWS <= n_heads; h += ROWS) take_keys(room, pair + h, q + h * A, count, A, scale, ROWS);
    for (; h < n_heads; h++) take_keys(room, pair + h, q + h * A, count, A, scale, 1);
}

/* For 1 to 4 query heads whose products with the keys are in `scores`. */
LFM_CLONES
static void take_products(const struct room *room, size_t pair, float scores[ROWS][BLOCK], const float *values,
                          size_t stride, size_t count, size_t padded, float scale, size_t n_heads)
{
    for (size_t r = 0; r < n_heads; r++)
        for (size_t k = 0; k < count; k++) scores[r][k] *= scale;
    switch (n_heads) {
    case 1: take_scores(room, pair, scores, values, stride, count, padded, 1); break;
    case 2: take_scores(room, pair, scores, values, stride, count, padded, 2); break;
    case 3: take_scores(room, pair, scores, values, stride, count, padded, 3); break;
    default: take_scores(room, pair, scores, values, stride, count, padded, ROWS); break;
    }
}

/* --- a tile: up to 8 tokens from t on, key heads first_g .. last_g-1 --- */

static bool reads_stored_keys(const struct task *task, size_t n_tokens)
{
    const struct lfm_kv *keys = task->part->keys;
    return n_tokens == 1 && keys->kernels && keys->kernels->multiply_stored && !keys->scales && task->A % 32 == 0;
}

/* The values of a block as FP32: where they are stored, if they are, else in the room. */
static const float *find_values(const struct task *task, const struct room *room, size_t g, size_t first, size_t n,
                                size_t *stride)
{
    const struct lfm_kv *values = task->part->values;
    if (values->row_bytes == values->width * sizeof(float) && task->padded == task->A) {
        *stride = values->width;
        return (const float *)values->rows + first * values->width + g * task->A;
    }
    lfm_kv_load(room->rows, task->padded, values, first, n, g * task->A, task->A);
    *stride = task->padded;
    return room->rows;
}

/* One token with the n keys of a block. */
static void run_stored_block(const struct task *task, const struct room *room, size_t t, size_t g, size_t first, size_t n)
{
    size_t A = task->A, group = task->H / task->G, stride;
    const struct lfm_kv *keys = task->part->keys;
    const uint8_t *rows = (const uint8_t *)keys->rows + first * keys->row_bytes;
    const float *q = task->part->q + (t * task->H + g * group) * A;
    const float *values = find_values(task, room, g, first, n, &stride);
    rows += g * A / keys->format->block_size * keys->format->block_bytes;
    for (size_t h = 0; h < group; h += ROWS) {
        float scores[ROWS][BLOCK];
        size_t n_heads = group - h < ROWS ? group - h : ROWS;
        keys->kernels->multiply_stored(scores[0], BLOCK, rows, keys->row_bytes, n, q + h * A, n_heads, A);
        take_products(room, g * group + h, scores, values, stride, n, task->padded, task->scale, n_heads);
    }
}

static void run_block(const struct task *task, const struct room *room, size_t t, size_t n_tokens, size_t g,
                      size_t first)
{
    const struct lfm_attention_part *part = task->part;
    size_t A = task->A, group = task->H / task->G, seen = part->n_past + t + n_tokens;
    size_t n = seen - first < BLOCK ? seen - first : BLOCK;
    if (reads_stored_keys(task, n_tokens)) {
        run_stored_block(task, room, t, g, first, n);
        return;
    }
    lfm_kv_load(room->rows, task->padded, part->keys, first, n, g * A, A);
    transpose(room->keys, room->rows, task->padded, n, A);
    lfm_kv_load(room->rows, task->padded, part->values, first, n, g * A, A);
    for (size_t i = 0; i < n_tokens; i++) {
        seen = part->n_past + t + i + 1;
        if (seen <= first) continue;
        take_block(room, i * task->H + g * group, part->q + ((t + i) * task->H + g * group) * A,
                   seen - first < n ? seen - first : n, group, A, task->scale);
    }
}

/* Asks for the rows of the block from `first` on, key heads first_g .. last_g-1: read head by head, they are too far
 * apart for the processor to see them coming. */
static void fetch_rows(const struct lfm_kv *kv, size_t first, size_t n, size_t first_g, size_t last_g, size_t A)
{
    enum { LINE = 64 };
    size_t head_bytes = A / kv->format->block_size * kv->format->block_bytes;
    for (size_t k = first; k < first + n; k++) {
        const uint8_t *row = (const uint8_t *)kv->rows + k * kv->row_bytes;
        for (size_t byte = first_g * head_bytes; byte < last_g * head_bytes; byte += LINE) __builtin_prefetch(row + byte, 0, 2);
    }
}

static void run_tile(const struct task *task, const struct room *room, size_t t, size_t first_g, size_t last_g)
{
    size_t H = task->H, A = task->A, group = H / task->G;
    size_t n_tokens = task->part->T - t < TOKENS ? task->part->T - t : TOKENS;
    for (size_t pair = 0; pair < n_tokens * H; pair++) {
        room->totals[pair] = 0;
        room->largest[pair] = -INFINITY;
    }
    memset(room->sums, 0, n_tokens * H * task->padded * sizeof *room->sums);
    size_t seen = task->part->n_past + t + n_tokens;
    for (size_t first = 0; first < seen; first += BLOCK) {
        size_t next = first + BLOCK, n = next >= seen ? 0 : seen - next < BLOCK ? seen - next : BLOCK;
        fetch_rows(task->part->keys, next, n, first_g, last_g, A);
        fetch_rows(task->part->values, next, n, first_g, last_g, A);
        for (size_t g = first_g; g < last_g; g++) run_block(task, room, t, n_tokens, g, first);
    }
    for (size_t i = 0; i < n_tokens; i++)
        for (size_t h = first_g * group; h < last_g * group; h++) {
            const float *sums = room->sums + (i * H + h) * task->padded;
            double total = room->totals[i * H + h];
            for (size_t a = 0; a < A; a++) task->part->out[((t + i) * H + h) * A + a] = (float)((double)sums[a] / total);
        }
}

static size_t tiles_of(const struct lfm_attention_part *part)
{
    return (part->T + TOKENS - 1) / TOKENS;
}

/* Which of all parts' tiles number `tile` is; on return *tile counts within the part. */
static const struct lfm_attention_part *part_of(const struct lfm_attention_part *parts, size_t *tile)
{
    while (*tile >= tiles_of(parts)) *tile -= tiles_of(parts++);
    return parts;
}

void lfm_attention(const struct lfm_attention_part *parts, size_t n_parts, size_t H, size_t G, size_t A, float *room)
{
    size_t n_threads = (size_t)omp_get_max_threads(), tiles = 0, products = 0;
    for (size_t i = 0; i < n_parts; i++) {
        tiles += tiles_of(&parts[i]);
        products += parts[i].T * H * A * (parts[i].n_past + parts[i].T);
    }
    size_t shares = tiles >= 2 * n_threads ? 1 : G < n_threads ? G : n_threads; /* of the key heads */
#pragma omp parallel for schedule(dynamic) if (products > WORTH_SHARING)
    for (size_t i = tiles * shares; i > 0; i--) { /* the last tokens of a sequence, which see most keys, first */
        size_t tile = (i - 1) / shares, share = (i - 1) % shares;
        const struct task task = {part_of(parts, &tile), H, G, A, whole_lanes(A), (float)(1 / sqrt((double)A))};
        struct room own = divide_room(room + room_per_thread(H, A) * (size_t)omp_get_thread_num(), H, A);
        run_tile(&task, &own, tile * TOKENS, share * G / shares, (share + 1) * G / shares);
    }
}
