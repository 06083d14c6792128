/* Comparing traces: see trace_compare.h. */
#include "quant/trace_compare.h"

#include "quant/cka.h"
#include "reference/base/memory.h"
#include "reference/trace/points.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLAB = 256 }; /* tokens read at a time: one chunk of the file */

/* --- do the traces belong together? --- */

static enum lfm_status match_config(const struct lfm_trace_information *a, const struct lfm_trace_information *b,
                                    struct lfm_error *error)
{
    static const char *const keys[] = {
        "model_type", "hidden_size", "num_hidden_layers", "vocab_size", "num_attention_heads", "num_key_value_heads",
        "head_dim", "intermediate_size", "conv_L_cache", "num_dense_layers", "num_experts", "num_experts_per_tok",
        "moe_intermediate_size", "layer_types"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const cJSON *in_a = cJSON_GetObjectItemCaseSensitive(a->config, keys[i]);
        const cJSON *in_b = cJSON_GetObjectItemCaseSensitive(b->config, keys[i]);
        if (cJSON_Compare(in_a, in_b, true)) continue;
        char *text_a = cJSON_PrintUnformatted(in_a), *text_b = cJSON_PrintUnformatted(in_b);
        enum lfm_status status =
            lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' and '%s' are of different models: %s is %.60s and %.60s", a->path,
                     b->path, keys[i], text_a ? text_a : "missing", text_b ? text_b : "missing");
        cJSON_free(text_a);
        cJSON_free(text_b);
        return status;
    }
    return LFM_OK;
}

struct column {
    const char *name;
    enum lfm_status (*read)(const struct lfm_trace *trace, size_t first, size_t n, int32_t *out,
                            struct lfm_error *error);
};

static enum lfm_status match_column(const struct lfm_trace *a, const struct lfm_trace *b, const struct column *column,
                                    size_t tokens, struct lfm_error *error)
{
    const struct lfm_trace_information *in_a = lfm_trace_information(a), *in_b = lfm_trace_information(b);
    int32_t x[SLAB], y[SLAB];
    for (size_t first = 0; first < tokens; first += SLAB) {
        size_t n = tokens - first < SLAB ? tokens - first : SLAB;
        LFM_TRY(column->read(a, first, n, x, error));
        LFM_TRY(column->read(b, first, n, y, error));
        for (size_t t = 0; t < n; t++)
            if (x[t] != y[t])
                return lfm_fail(error, LFM_ERROR_MISMATCH,
                                "'%s' and '%s' are of different texts: token %zu has %s %d and %d", in_a->path,
                                in_b->path, first + t, column->name, (int)x[t], (int)y[t]);
    }
    return LFM_OK;
}

static size_t common_tokens(const struct lfm_trace *reference, const struct lfm_trace *candidate)
{
    size_t a = lfm_trace_information(reference)->tokens, b = lfm_trace_information(candidate)->tokens;
    return a < b ? a : b;
}

static enum lfm_status lengths_differ(const struct lfm_trace_information *a, const struct lfm_trace_information *b,
                                      struct lfm_error *error)
{
    return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' has %zu tokens%s, '%s' has %zu%s", a->path, a->tokens,
                    a->complete ? "" : " (incomplete)", b->path, b->tokens, b->complete ? "" : " (incomplete)");
}

/* Points whose width the configuration does not fix must agree in it. */
static enum lfm_status match_widths(const struct lfm_trace *reference, const struct lfm_trace *candidate,
                                    struct lfm_error *error)
{
    const struct lfm_trace_information *a = lfm_trace_information(reference), *b = lfm_trace_information(candidate);
    for (size_t layer = 0; layer < a->layers; layer++)
        for (int p = 0; p < LFM_POINT_COUNT; p++) {
            size_t x = lfm_trace_width(reference, layer, (enum lfm_point)p);
            size_t y = lfm_trace_width(candidate, layer, (enum lfm_point)p);
            if (x > 0 && y > 0 && x != y)
                return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' and '%s' are of different models: %s of layer %zu has %zu "
                                "and %zu values per token", a->path, b->path, lfm_point_name((enum lfm_point)p), layer, x,
                                y);
        }
    return LFM_OK;
}

enum lfm_status lfm_traces_overlap(size_t *tokens, const struct lfm_trace *reference, const struct lfm_trace *candidate,
                                   struct lfm_error *error)
{
    static const struct column columns[] = {
        {"id", lfm_trace_read_tokens}, {"document", lfm_trace_read_documents}, {"position", lfm_trace_read_positions}};
    const struct lfm_trace_information *a = lfm_trace_information(reference), *b = lfm_trace_information(candidate);
    LFM_TRY(match_config(a, b, error));
    if (strcmp(a->tokenizer_sha256, b->tokenizer_sha256) != 0)
        return lfm_fail(error, LFM_ERROR_MISMATCH,
                        "'%s' and '%s' were made with different tokenizers (sha256 %.12s and %.12s)", a->path, b->path,
                        a->tokenizer_sha256, b->tokenizer_sha256);
    LFM_TRY(match_widths(reference, candidate, error));
    const struct lfm_trace_information *shorter = a->tokens < b->tokens ? a : b;
    if (shorter->tokens == 0 && !shorter->complete)
        return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' is incomplete and holds none of its %zu tokens", shorter->path,
                        shorter->planned);
    if (shorter->tokens == 0) return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' holds no tokens", shorter->path);
    if (a->tokens != b->tokens && shorter->complete) return lengths_differ(a, b, error);
    *tokens = shorter->tokens;
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        LFM_TRY(match_column(reference, candidate, &columns[i], *tokens, error));
    return LFM_OK;
}

enum lfm_status lfm_traces_match(const struct lfm_trace *reference, const struct lfm_trace *candidate,
                                 struct lfm_error *error)
{
    const struct lfm_trace_information *a = lfm_trace_information(reference), *b = lfm_trace_information(candidate);
    size_t tokens;
    LFM_TRY(lfm_traces_overlap(&tokens, reference, candidate, error));
    return a->tokens == b->tokens ? LFM_OK : lengths_differ(a, b, error);
}

/* --- points --- */

/* Rows of both traces at one point, and the sums over them. */
struct point_pass {
    float *x, *y;            /* [SLAB, width] */
    double *channel, *magnitude; /* [width] sums over tokens of (x - y)^2 and x^2 */
    struct lfm_cka cka;
    bool has_cka;
    struct lfm_vector_sums sums;
};

static bool has_point(const struct lfm_trace *reference, const struct lfm_trace *candidate, size_t layer,
                      enum lfm_point point)
{
    if (!lfm_point_is_comparable(point)) return false;
    size_t width = lfm_trace_width(reference, layer, point);
    return width > 0 && width == lfm_trace_width(candidate, layer, point);
}

size_t lfm_traces_points(const struct lfm_trace *reference, const struct lfm_trace *candidate)
{
    size_t count = 0;
    for (size_t layer = 0; layer < lfm_trace_information(reference)->layers; layer++)
        for (int p = 0; p < LFM_POINT_COUNT; p++) count += has_point(reference, candidate, layer, (enum lfm_point)p);
    return count;
}

static enum lfm_status start_pass(struct point_pass *pass, size_t width, struct lfm_error *error)
{
    *pass = (struct point_pass){.has_cka = width <= LFM_CKA_MAX_WIDTH};
    LFM_TRY(LFM_ALLOC(&pass->x, SLAB * width, error));
    LFM_TRY(LFM_ALLOC(&pass->y, SLAB * width, error));
    LFM_TRY(LFM_ALLOC(&pass->channel, width, error));
    LFM_TRY(LFM_ALLOC(&pass->magnitude, width, error));
    return pass->has_cka ? lfm_cka_init(&pass->cka, width, SLAB, error) : LFM_OK;
}

static void end_pass(struct point_pass *pass)
{
    free(pass->x);
    free(pass->y);
    free(pass->channel);
    free(pass->magnitude);
    lfm_cka_release(&pass->cka);
}

static void add_channels(struct point_pass *pass, size_t n, size_t width)
{
    for (size_t t = 0; t < n; t++)
        for (size_t c = 0; c < width; c++) {
            double x = (double)pass->x[t * width + c], difference = x - (double)pass->y[t * width + c];
            pass->channel[c] += difference * difference;
            pass->magnitude[c] += x * x;
        }
}

static enum lfm_status conclude(struct lfm_point_difference *out, const struct point_pass *pass, size_t width,
                                const struct lfm_trace_compare_options *options, struct lfm_error *error)
{
    size_t worst = 0, tokens = out->token_errors.tokens;
    for (size_t c = 1; c < width; c++)
        if (lfm_error_exceeds(pass->channel[c], pass->channel[worst])) worst = c;
    double largest = pass->channel[worst];
    out->relative_l2 = lfm_relative_l2(&pass->sums);
    out->cosine = lfm_cosine(&pass->sums);
    out->sqnr_db = lfm_sqnr_db(&pass->sums);
    out->cka = pass->has_cka ? lfm_cka_value(&pass->cka) : NAN;
    out->max_channel = worst;
    out->max_channel_error = largest == 0 ? 0 : sqrt(largest / (pass->sums.xx / (double)width));
    LFM_TRY(lfm_channel_outliers(&out->error_outliers, pass->channel, width, tokens, options->outliers, error));
    return lfm_channel_outliers(&out->magnitude_outliers, pass->magnitude, width, tokens, options->outliers, error);
}

static enum lfm_status compare_point(struct lfm_point_difference *out, const struct lfm_trace *reference,
                                     const struct lfm_trace *candidate,
                                     const struct lfm_trace_compare_options *options, struct lfm_error *error)
{
    struct point_pass pass;
    size_t layer = out->layer, T = common_tokens(reference, candidate);
    enum lfm_point point = out->point;
    size_t width = lfm_trace_width(reference, layer, point);
    enum lfm_status status = start_pass(&pass, width, error);
    for (size_t first = 0; first < T && status == LFM_OK; first += SLAB) {
        size_t n = T - first < SLAB ? T - first : SLAB;
        if (lfm_interrupted()) {
            status = lfm_fail(error, LFM_ERROR_STOPPED, "interrupted while comparing traces");
            break;
        }
        status = lfm_trace_read(reference, layer, point, first, n, pass.x, error);
        if (status == LFM_OK) status = lfm_trace_read(candidate, layer, point, first, n, pass.y, error);
        if (status != LFM_OK) break;
        lfm_vector_add(&pass.sums, pass.x, pass.y, n * width);
        add_channels(&pass, n, width);
        lfm_token_errors_add(&out->token_errors, pass.x, pass.y, n, width, options->tolerance);
        if (pass.has_cka) lfm_cka_add(&pass.cka, pass.x, pass.y, n);
    }
    if (status == LFM_OK) status = conclude(out, &pass, width, options, error);
    end_pass(&pass);
    return status;
}

/* Notes where a point's first token above the tolerance lies, when that is before what was found so far. Points come in the
 * order of the computation. */
static void note_first(struct lfm_trace_comparison *out, const struct lfm_point_difference *row)
{
    if (row->token_errors.above == 0) return;
    const struct lfm_divergence here = {.found = true, .layer = row->layer, .point = row->point,
                                        .token = row->token_errors.first, .value = row->token_errors.first_value};
    if (!out->first.found) out->first = here;
    if (!out->first_in_text.found || here.token < out->first_in_text.token) out->first_in_text = here;
}

static enum lfm_status name_token(struct lfm_divergence *divergence, const struct lfm_trace *trace,
                                  struct lfm_error *error)
{
    if (!divergence->found) return LFM_OK;
    LFM_TRY(lfm_trace_read_documents(trace, divergence->token, 1, &divergence->document, error));
    LFM_TRY(lfm_trace_read_positions(trace, divergence->token, 1, &divergence->position, error));
    return lfm_trace_read_tokens(trace, divergence->token, 1, &divergence->id, error);
}

/* The names of the points that a trace has values of, in any layer. */
static void name_points(char *out, size_t size, const struct lfm_trace *trace)
{
    size_t used = 0;
    out[0] = '\0';
    for (int p = 0; p < LFM_POINT_COUNT && used < size; p++)
        for (size_t layer = 0; layer < lfm_trace_information(trace)->layers; layer++) {
            if (lfm_trace_width(trace, layer, (enum lfm_point)p) == 0) continue;
            const char *name = lfm_point_name((enum lfm_point)p);
            used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", name);
            break;
        }
    if (used == 0) snprintf(out, size, "none at all");
}

static enum lfm_status nothing_in_common(const struct lfm_trace *reference, const struct lfm_trace *candidate,
                                         struct lfm_error *error)
{
    char a[256], b[256];
    name_points(a, sizeof a, reference);
    name_points(b, sizeof b, candidate);
    return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s' and '%s' have no point in common: the one has values of %s, the other "
                    "of %s", lfm_trace_information(reference)->path, lfm_trace_information(candidate)->path, a, b);
}

static enum lfm_status list_missing(struct lfm_trace_comparison *out, const struct lfm_trace *reference,
                                    const struct lfm_trace *candidate, struct lfm_error *error)
{
    size_t layers = lfm_trace_information(reference)->layers;
    LFM_TRY(LFM_ALLOC(&out->missing, layers * LFM_POINT_COUNT, error));
    for (size_t layer = 0; layer < layers; layer++)
        for (int p = 0; p < LFM_POINT_COUNT; p++) {
            bool in_reference = lfm_trace_width(reference, layer, (enum lfm_point)p) > 0;
            bool in_candidate = lfm_trace_width(candidate, layer, (enum lfm_point)p) > 0;
            if (in_reference != in_candidate)
                out->missing[out->n_missing++] = (struct lfm_missing_point){layer, (enum lfm_point)p, in_reference};
        }
    return LFM_OK;
}

/* --- routers --- */

/* The decisions of one trace for SLAB tokens. */
struct decisions {
    float *logits, *weights; /* [SLAB,E], [SLAB,K] */
    int32_t *selected;       /* [SLAB,K] */
};

static enum lfm_status decisions_init(struct decisions *decisions, size_t E, size_t K, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(&decisions->logits, SLAB * E, error));
    LFM_TRY(LFM_ALLOC(&decisions->weights, SLAB * K, error));
    return LFM_ALLOC(&decisions->selected, SLAB * K, error);
}

static void decisions_release(struct decisions *decisions)
{
    free(decisions->logits);
    free(decisions->weights);
    free(decisions->selected);
}

static enum lfm_status decisions_read(struct decisions *decisions, const struct lfm_trace *trace, size_t layer,
                                      size_t first, size_t n, struct lfm_error *error)
{
    LFM_TRY(lfm_trace_read(trace, layer, LFM_POINT_ROUTER_LOGITS, first, n, decisions->logits, error));
    LFM_TRY(lfm_trace_read(trace, layer, LFM_POINT_ROUTER_WEIGHTS, first, n, decisions->weights, error));
    return lfm_trace_read_selected(trace, layer, first, n, decisions->selected, error);
}

static struct lfm_router_decision decision_at(const struct decisions *decisions, size_t t, size_t E, size_t K)
{
    return (struct lfm_router_decision){decisions->logits + t * E, decisions->selected + t * K,
                                        decisions->weights + t * K};
}

static enum lfm_status compare_router(struct lfm_router_difference *out, const struct lfm_trace *reference,
                                      const struct lfm_trace *candidate, size_t layer, struct decisions pair[2],
                                      struct lfm_error *error)
{
    const struct lfm_trace_information *information = lfm_trace_information(reference);
    size_t E = information->experts, K = information->experts_per_token;
    size_t tokens = common_tokens(reference, candidate);
    struct lfm_router_sums sums = {0};
    for (size_t first = 0; first < tokens; first += SLAB) {
        size_t n = tokens - first < SLAB ? tokens - first : SLAB;
        LFM_TRY(decisions_read(&pair[0], reference, layer, first, n, error));
        LFM_TRY(decisions_read(&pair[1], candidate, layer, first, n, error));
        for (size_t t = 0; t < n; t++) {
            struct lfm_router_decision p = decision_at(&pair[0], t, E, K), q = decision_at(&pair[1], t, E, K);
            lfm_router_add(&sums, &p, &q, E, K);
        }
    }
    *out = (struct lfm_router_difference){layer, lfm_router_figures(&sums)};
    return LFM_OK;
}

enum lfm_status lfm_traces_compare_routers(struct lfm_router_difference **rows, size_t *n,
                                           const struct lfm_trace *reference, const struct lfm_trace *candidate,
                                           struct lfm_error *error)
{
    const struct lfm_trace_information *information = lfm_trace_information(reference);
    struct decisions pair[2] = {{NULL, NULL, NULL}, {NULL, NULL, NULL}};
    enum lfm_status status;
    *rows = NULL;
    *n = 0;
    LFM_TRY_DONE(LFM_ALLOC(rows, information->layers, error));
    for (size_t i = 0; i < 2; i++)
        LFM_TRY_DONE(decisions_init(&pair[i], information->experts, information->experts_per_token, error));
    for (size_t layer = 0; layer < information->layers; layer++) {
        if (!lfm_trace_has_router(reference, layer) || !lfm_trace_has_router(candidate, layer)) continue;
        LFM_TRY_DONE(compare_router(*rows + *n, reference, candidate, layer, pair, error));
        ++*n;
    }

done:
    decisions_release(&pair[0]);
    decisions_release(&pair[1]);
    if (status != LFM_OK) {
        free(*rows);
        *rows = NULL;
        *n = 0;
    }
    return status;
}

/* --- both --- */

enum lfm_status lfm_traces_compare(struct lfm_trace_comparison *out, const struct lfm_trace *reference,
                                   const struct lfm_trace *candidate, const struct lfm_trace_compare_options *options,
                                   struct lfm_progress *progress, struct lfm_error *error)
{
    static const struct lfm_trace_compare_options defaults = LFM_TRACE_COMPARE_DEFAULT;
    const struct lfm_trace_information *information = lfm_trace_information(reference);
    enum lfm_status status;
    *out = (struct lfm_trace_comparison){.options = options ? *options : defaults,
                                         .tokens = common_tokens(reference, candidate)};
    LFM_TRY_DONE(list_missing(out, reference, candidate, error));
    LFM_TRY_DONE(LFM_ALLOC(&out->points, lfm_traces_points(reference, candidate), error));
    for (size_t layer = 0; layer < information->layers; layer++)
        for (int p = 0; p < LFM_POINT_COUNT; p++) {
            enum lfm_point point = (enum lfm_point)p;
            if (!has_point(reference, candidate, layer, point)) continue;
            struct lfm_point_difference *row = &out->points[out->n_points];
            *row = (struct lfm_point_difference){.layer = layer, .point = point, .token_errors = LFM_TOKEN_ERRORS_NONE};
            LFM_TRY_DONE(compare_point(row, reference, candidate, &out->options, error));
            note_first(out, row);
            lfm_progress_update(progress, (double)++out->n_points);
        }
    LFM_TRY_DONE(lfm_traces_compare_routers(&out->routers, &out->n_routers, reference, candidate, error));
    LFM_TRY_DONE(name_token(&out->first, reference, error));
    LFM_TRY_DONE(name_token(&out->first_in_text, reference, error));
    if (out->n_points == 0 && out->n_routers == 0)
        status = nothing_in_common(reference, candidate, error);

done:
    if (status != LFM_OK) lfm_trace_comparison_release(out);
    return status;
}

void lfm_trace_comparison_release(struct lfm_trace_comparison *comparison)
{
    free(comparison->points);
    free(comparison->routers);
    free(comparison->missing);
    *comparison = (struct lfm_trace_comparison){0};
}
