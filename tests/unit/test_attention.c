/* Attention over caches in every format: against a plain sum in double, and the same bits however it is divided. */
#include "reference/base/memory.h"
#include "reference/model/attention.h"
#include "tests/unit/assert.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

static const char *const formats[] = {"f32", "f16", "q8_0", "fp8_e4m3"};
enum { N_FORMATS = sizeof formats / sizeof formats[0] };

static struct lfm_error error;

/* A sequence of `n` tokens with H query heads on G key heads of A. */
struct sequence {
    size_t H, G, A, n;
    float *q, *k, *v; /* [n,H*A], [n,G*A] */
    struct lfm_kv keys, values;
};

static float *random_values(size_t n, float scale, uint32_t seed)
{
    float *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        x[i] = scale * ((float)(seed >> 8) / (float)(1 << 24) - 0.5f);
    }
    return x;
}

static void fill(struct sequence *s, const char *format, size_t H, size_t G, size_t A, size_t n, uint32_t seed)
{
    *s = (struct sequence){.H = H, .G = G, .A = A, .n = n};
    s->q = random_values(n * H * A, 4, seed);
    s->k = random_values(n * G * A, 4, seed + 1);
    s->v = random_values(n * G * A, 2, seed + 2);
    assert_ok(lfm_kv_init(&s->keys, lfm_kv_by_name(format), G * A, &error));
    assert_ok(lfm_kv_init(&s->values, lfm_kv_by_name(format), G * A, &error));
    assert_ok(lfm_kv_reserve(&s->keys, n, &error));
    assert_ok(lfm_kv_reserve(&s->values, n, &error));
    lfm_kv_store(&s->keys, 0, s->k, n);
    lfm_kv_store(&s->values, 0, s->v, n);
}

static void release(struct sequence *s)
{
    free(s->q);
    free(s->k);
    free(s->v);
    lfm_kv_release(&s->keys);
    lfm_kv_release(&s->values);
}

static struct lfm_attention_part part_of(const struct sequence *s, float *out, size_t first, size_t n)
{
    size_t width = s->H * s->A;
    return (struct lfm_attention_part){out + first * width, s->q + first * width, &s->keys, &s->values, n, first};
}

/* out[n,H*A] of the tokens first .. first+n-1, `piece` at a time. */
static void attend(float *out, const struct sequence *s, size_t first, size_t n, size_t piece)
{
    float *room;
    assert_ok(LFM_ALLOC(&room, lfm_attention_room(s->H, s->G, s->A), &error));
    for (size_t t = first; t < first + n; t += piece) {
        size_t count = first + n - t < piece ? first + n - t : piece;
        const struct lfm_attention_part part = part_of(s, out, t, count);
        lfm_attention(&part, 1, s->H, s->G, s->A, room);
    }
    free(room);
}

/* One head of one token as the formula says, in double, from what the caches hold. */
static void expect_head(double *out, const struct sequence *s, size_t t, size_t h)
{
    size_t A = s->A, g = h / (s->H / s->G);
    double *weights = calloc(t + 1, sizeof *weights), total = 0, largest = -INFINITY;
    float *row = calloc(A, sizeof *row);
    for (size_t i = 0; i <= t; i++) {
        lfm_kv_load(row, A, &s->keys, i, 1, g * A, A);
        for (size_t a = 0; a < A; a++) weights[i] += (double)s->q[(t * s->H + h) * A + a] * row[a];
        weights[i] /= sqrt((double)A);
        largest = fmax(largest, weights[i]);
    }
    for (size_t i = 0; i <= t; i++) total += weights[i] = exp(weights[i] - largest);
    for (size_t a = 0; a < A; a++) out[a] = 0;
    for (size_t i = 0; i <= t; i++) {
        lfm_kv_load(row, A, &s->values, i, 1, g * A, A);
        for (size_t a = 0; a < A; a++) out[a] += weights[i] / total * row[a];
    }
    free(weights);
    free(row);
}

static void check_against_formula(const char *format, size_t H, size_t G, size_t A, size_t n, size_t piece)
{
    struct sequence s;
    fill(&s, format, H, G, A, n, (uint32_t)(H * 131 + A * 7 + n));
    float *out = calloc(n * H * A, sizeof *out);
    double *expected = calloc(A, sizeof *expected);
    attend(out, &s, 0, n, piece);
    for (size_t t = 0; t < n; t += n > 40 ? 13 : 1)
        for (size_t h = 0; h < H; h++) {
            expect_head(expected, &s, t, h);
            for (size_t a = 0; a < A; a++)
                cr_assert(fabs((double)out[(t * H + h) * A + a] - expected[a]) <= 3e-6,
                          "%s, %zu heads on %zu of %zu: token %zu, head %zu, element %zu is %g, expected %g", format, H, G,
                          A, t, h, a, (double)out[(t * H + h) * A + a], expected[a]);
        }
    free(expected);
    free(out);
    release(&s);
}

/* Values lie within 1, and scores are sums of A products of up to 4: 3e-6 is what FP32 leaves. */
Test(attention, agrees_with_the_formula_in_double)
{
    for (size_t f = 0; f < N_FORMATS; f++) {
        check_against_formula(formats[f], 8, 2, 64, 150, 150);
        check_against_formula(formats[f], 9, 3, 32, 66, 66);
        check_against_formula(formats[f], 4, 4, 32, 130, 1);
        check_against_formula(formats[f], 6, 1, 96, 65, 9);
    }
}

Test(attention, heads_need_not_fill_whole_vectors)
{
    check_against_formula("f32", 4, 2, 20, 70, 70);
    check_against_formula("f16", 6, 2, 5, 70, 11);
    check_against_formula("fp8_e4m3", 2, 1, 1, 20, 20);
    check_against_formula("f32", 10, 2, 8, 70, 1);
}

static void check_pieces(const char *format, size_t H, size_t G, size_t A)
{
    enum { N = 140 };
    struct sequence s;
    fill(&s, format, H, G, A, N, 5);
    float *whole = calloc(N * H * A, sizeof *whole), *other = calloc(N * H * A, sizeof *other);
    attend(whole, &s, 0, N, N);
    const size_t pieces[] = {1, 3, 64, 70};
    for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
        memset(other, 0, N * H * A * sizeof *other);
        attend(other, &s, 0, N, pieces[p]);
        cr_assert_eq(memcmp(whole, other, N * H * A * sizeof *whole), 0, "%s in pieces of %zu differs", format, pieces[p]);
    }
    free(whole);
    free(other);
    release(&s);
}

Test(attention, one_token_at_a_time_gives_the_bits_of_all_at_once)
{
    for (size_t f = 0; f < N_FORMATS; f++) {
        check_pieces(formats[f], 8, 2, 64);
        check_pieces(formats[f], 6, 2, 32);
        check_pieces(formats[f], 5, 1, 32);
    }
    check_pieces("f32", 4, 2, 20);
    check_pieces("f16", 4, 2, 20);
}

Test(attention, does_not_depend_on_the_number_of_threads)
{
    enum { N = 300, H = 8, A = 64 };
    for (size_t f = 0; f < N_FORMATS; f++) {
        struct sequence s;
        fill(&s, formats[f], H, 4, A, N, 9);
        float *one = calloc(N * H * A, sizeof *one), *three = calloc(N * H * A, sizeof *three);
        omp_set_num_threads(1);
        attend(one, &s, 0, N, N - 1);
        omp_set_num_threads(3);
        attend(three, &s, 0, N, N - 1);
        cr_assert_eq(memcmp(one, three, N * H * A * sizeof *one), 0, "%s differs", formats[f]);
        free(one);
        free(three);
        release(&s);
    }
}

Test(attention, several_sequences_together_are_each_alone)
{
    enum { H = 8, G = 4, A = 32, N = 3 };
    const size_t lengths[N] = {90, 1, 33}, first[N] = {80, 0, 0};
    struct sequence s[N];
    struct lfm_attention_part parts[N];
    float *out[N], *alone[N], *room;
    assert_ok(LFM_ALLOC(&room, lfm_attention_room(H, G, A), &error));
    for (size_t i = 0; i < N; i++) {
        fill(&s[i], formats[i], H, G, A, lengths[i], (uint32_t)i);
        out[i] = calloc(lengths[i] * H * A, sizeof(float));
        alone[i] = calloc(lengths[i] * H * A, sizeof(float));
        parts[i] = part_of(&s[i], out[i], first[i], lengths[i] - first[i]);
        attend(alone[i], &s[i], first[i], lengths[i] - first[i], lengths[i]);
    }
    lfm_attention(parts, N, H, G, A, room);
    for (size_t i = 0; i < N; i++) {
        cr_assert_eq(memcmp(out[i], alone[i], lengths[i] * H * A * sizeof(float)), 0, "sequence %zu differs", i);
        free(out[i]);
        free(alone[i]);
        release(&s[i]);
    }
    free(room);
}

Test(attention, later_tokens_do_not_reach_earlier_ones)
{
    enum { H = 4, G = 1, A = 64, N = 40, BAD = 37 };
    struct sequence s;
    fill(&s, "f32", H, G, A, N, 3);
    float *clean = calloc(N * H * A, sizeof *clean), *dirty = calloc(N * H * A, sizeof *dirty);
    attend(clean, &s, 0, N, N);
    for (size_t a = 0; a < A; a++) s.k[BAD * A + a] = s.v[BAD * A + a] = NAN;
    lfm_kv_store(&s.keys, 0, s.k, N);
    lfm_kv_store(&s.values, 0, s.v, N);
    attend(dirty, &s, 0, N, N);
    cr_assert_eq(memcmp(clean, dirty, BAD * H * A * sizeof *clean), 0);
    cr_assert(isnan(dirty[BAD * H * A]));
    free(clean);
    free(dirty);
    release(&s);
}

Test(attention, scores_far_apart_select_one_value)
{
    enum { A = 32, N = 100, BEST = 70 };
    struct sequence s;
    fill(&s, "f32", 1, 1, A, N, 4);
    for (size_t i = 0; i < N * A; i++) s.k[i] = i / A == BEST ? 1e3f : -1e3f - (float)(i / A);
    for (size_t a = 0; a < A; a++) s.q[(N - 1) * A + a] = 1e3f;
    lfm_kv_store(&s.keys, 0, s.k, N);
    float out[N * A];
    attend(out, &s, N - 1, 1, 1);
    for (size_t a = 0; a < A; a++) assert_near(out[(N - 1) * A + a], s.v[BEST * A + a], 0);
    release(&s);
}
