/* Attention in blocks of keys: see attention.h.
 *
 * A block of 64 keys and their values is decoded once for up to 8 tokens. The keys of a head are transposed, so that a
 * vector holds one element of several keys, and their scores are formed side by side; not for a single token, which would
 * use the transposed block once. The arithmetic is that of the kernels (kernels.h). Per (token, head) there remain
 *
 *     largest   the largest score so far
 *     total     sum over keys of exp(score - largest): a block in 16 lanes, the blocks in double
 *     sums[A]   sum over keys of exp(score - largest) * value; a block is summed on its own, in the order of its keys
 *
 * and when a block has a larger score, total and sums are multiplied by exp(old largest - new largest). */
#include "reference/model/attention.h"

#include "reference/base/team.h"
#include "reference/model/kernels.h"
#include "reference/model/lanes.h"
#include "reference/model/transpose.h"

#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <string.h>

enum {
    BLOCK = LFM_KEYS,
    TOKENS = 8,             /* that go through a block together */
    WORTH_SHARING = 1 << 20 /* products below which waking other threads takes longer than it saves */
};

/* What is computed for the tokens of one sequence. */
struct task {
    const struct lfm_attention_part *part;
    const struct lfm_kernels *kernels;
    const struct lfm_format_kernels *f32; /* NULL: none */
    size_t H, G, A;
    size_t padded; /* A rounded up to whole vectors */
    float scale;
};

/* The running results of the (token, head) pairs of a tile, token by token, and room for a block. */
struct room {
    double *totals;       /* [TOKENS*H] */
    float *largest;       /* [TOKENS*H] */
    float *sums;          /* [TOKENS*H, padded] */
    float *keys, *values; /* [BLOCK, G, padded]; nobody writes to the padding, which is zero */
    float *transposed;    /* [A, BLOCK] keys of one head */
};

static size_t whole_lanes(size_t n)
{
    return (n + LFM_LANES - 1) / LFM_LANES * LFM_LANES;
}

static size_t room_per_thread(size_t H, size_t G, size_t A)
{
    size_t padded = whole_lanes(A), pairs = whole_lanes(TOKENS * H);
    return 3 * pairs + pairs * padded + (2 * G + 1) * BLOCK * padded;
}

size_t lfm_attention_room(size_t H, size_t G, size_t A)
{
    return room_per_thread(H, G, A) * (size_t)omp_get_max_threads();
}

static struct room divide_room(float *floats, size_t H, size_t G, size_t A)
{
    size_t padded = whole_lanes(A), pairs = whole_lanes(TOKENS * H);
    struct room room = {.totals = (double *)(void *)floats, .largest = floats + 2 * pairs};
    room.sums = room.largest + pairs;
    room.keys = room.sums + pairs * padded;
    room.values = room.keys + G * BLOCK * padded;
    room.transposed = room.values + G * BLOCK * padded;
    return room;
}

/* --- one block --- */

/* to[A, BLOCK] from n rows of A elements. */
static void transpose(float *to, const float *from, size_t stride, size_t n, size_t A)
{
    size_t squares_a = A - A % 4, squares_k = n - n % 4;
    for (size_t k = 0; k < squares_k; k += 4)
        for (size_t a = 0; a < squares_a; a += 4) lfm_transpose_4(to + a * BLOCK + k, BLOCK, from + k * stride + a, stride);
    for (size_t k = 0; k < n; k++)
        for (size_t a = k < squares_k ? squares_a : 0; a < A; a++) to[a * BLOCK + k] = from[k * stride + a];
}

/* The query heads h .. h + n_heads - 1 of token number i of a tile. */
static struct lfm_running running_of(const struct task *task, const struct room *room, size_t i, size_t h)
{
    size_t pair = i * task->H + h;
    return (struct lfm_running){room->totals + pair, room->largest + pair, room->sums + pair * task->padded, task->padded};
}

/* The keys and values of key head g in a block: the decoded rows, and the transposed keys when `direct` is false. */
struct head {
    const float *keys, *values; /* [BLOCK], rows `stride` apart */
    size_t stride, g;
    bool direct;
};

/* Takes the first `count` keys of a block into the results of the query heads that share them; q is that of token number i
 * of the tile. */
static void take_block(const struct task *task, const struct room *room, const struct head *head, size_t i, const float *q,
                       size_t count)
{
    const struct lfm_kernels *kernels = task->kernels;
    size_t A = task->A, group = task->H / task->G;
    for (size_t h = 0; h < group; h += LFM_HEADS) {
        float scores[LFM_HEADS * BLOCK];
        size_t n_heads = group - h < LFM_HEADS ? group - h : LFM_HEADS;
        struct lfm_running running = running_of(task, room, i, head->g * group + h);
        if (head->direct)
            task->f32->multiply_stored(scores, BLOCK, head->keys, head->stride * sizeof *q, count, q + h * A, n_heads, A);
        else
            kernels->multiply_keys(scores, room->transposed, count, q + h * A, n_heads, A);
        kernels->take_scores(&running, scores, task->scale, head->values, head->stride, count, n_heads);
    }
}

/* --- a tile: up to 8 tokens from t on, key heads first_g .. last_g-1 --- */

/* to[k] = row first + k of key heads first_g .. last_g-1, decoded, a head every `padded` floats. All heads of a row are
 * read before the next row, as they lie in memory: head after head they are too far apart for the processor to see them
 * coming, and waiting for them would take most of the time. */
static void load_rows(const struct task *task, float *to, const struct lfm_kv *kv, size_t first, size_t n, size_t first_g,
                      size_t last_g)
{
    size_t A = task->A, stride = (last_g - first_g) * task->padded;
    if (A == task->padded) {
        lfm_kv_load(to, stride, kv, first, n, first_g * A, (last_g - first_g) * A);
        return;
    }
    for (size_t g = first_g; g < last_g; g++)
        lfm_kv_load(to + (g - first_g) * task->padded, stride, kv, first, n, g * A, A);
}

static void run_head(const struct task *task, const struct room *room, const struct head *head, size_t t, size_t n_tokens,
                     size_t first, size_t n)
{
    size_t A = task->A, group = task->H / task->G;
    const float *q = task->part->q + (t * task->H + head->g * group) * A;
    if (!head->direct) transpose(room->transposed, head->keys, head->stride, n, A);
    for (size_t i = 0; i < n_tokens; i++) {
        size_t seen = task->part->n_past + t + i + 1;
        if (seen > first) take_block(task, room, head, i, q + i * task->H * A, seen - first < n ? seen - first : n);
    }
}

/* The n keys and values from `first` on. */
static void run_block(const struct task *task, const struct room *room, size_t t, size_t n_tokens, size_t first, size_t n,
                      size_t first_g, size_t last_g)
{
    bool direct = n_tokens == 1 && task->f32 && task->A % LFM_Q8_BLOCK == 0;
    load_rows(task, room->keys, task->part->keys, first, n, first_g, last_g);
    load_rows(task, room->values, task->part->values, first, n, first_g, last_g);
    for (size_t g = first_g; g < last_g; g++) {
        size_t at = (g - first_g) * task->padded;
        const struct head head = {room->keys + at, room->values + at, (last_g - first_g) * task->padded, g, direct};
        run_head(task, room, &head, t, n_tokens, first, n);
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
    for (size_t first = 0; first < seen; first += BLOCK)
        run_block(task, room, t, n_tokens, first, seen - first < BLOCK ? seen - first : BLOCK, first_g, last_g);
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

/* What is computed for all sequences: tiles of some tokens, each in `shares` shares of the key heads. */
struct job {
    const struct lfm_attention_part *parts;
    struct task common; /* but for the part */
    size_t tiles, shares;
    float *room;
};

/* The last tokens of a sequence, which see most keys, first. */
static void run_task(void *context, size_t number, size_t thread)
{
    const struct job *job = context;
    size_t H = job->common.H, G = job->common.G, A = job->common.A;
    size_t left = job->tiles * job->shares - 1 - number, tile = left / job->shares, share = left % job->shares;
    struct task task = job->common;
    task.part = part_of(job->parts, &tile);
    struct room own = divide_room(job->room + room_per_thread(H, G, A) * thread, H, G, A);
    run_tile(&task, &own, tile * TOKENS, share * G / job->shares, (share + 1) * G / job->shares);
}

void lfm_attention(const struct lfm_attention_part *parts, size_t n_parts, size_t H, size_t G, size_t A, float *room)
{
    const struct lfm_kernels *kernels = lfm_kernels();
    const struct lfm_format_kernels *f32 = lfm_format_kernels(kernels, lfm_format_by_name("f32"));
    const struct task common = {NULL, kernels, f32, H, G, A, whole_lanes(A), (float)(1 / sqrt((double)A))};
    struct job job = {parts, common, 0, 1, room};
    size_t n_threads = (size_t)omp_get_max_threads(), products = 0;
    for (size_t i = 0; i < n_parts; i++) {
        job.tiles += tiles_of(&parts[i]);
        products += parts[i].T * H * A * (parts[i].n_past + parts[i].T);
    }
    if (job.tiles < 2 * n_threads) job.shares = G < n_threads ? G : n_threads;
    lfm_run_tasks((uint32_t)(job.tiles * job.shares), products > WORTH_SHARING, run_task, &job);
}
