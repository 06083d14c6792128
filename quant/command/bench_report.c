/* The results of `bench` as a table and as JSON. See bench_report.h. */
#include "quant/command/bench_report.h"

#include <math.h>
#include <stdio.h>

/* Bytes that one decoded token must read: a step's, shared by its sequences. */
static double bytes_per_token(const struct lfm_bench_row *row)
{
    return lfm_step_bytes_total(&row->bytes) / (double)row->batch;
}

/* The rate at which decoding reads, as a share of what a plain loop reads. */
static double share_of(const struct lfm_bench_row *row, double bandwidth)
{
    return row->decode.median * bytes_per_token(row) / bandwidth;
}

/* --- the table --- */

static const char *format_rate(char text[16], double rate)
{
    if (!isfinite(rate)) snprintf(text, 16, "-");
    else snprintf(text, 16, rate < 10 ? "%.2f" : rate < 1000 ? "%.1f" : "%.0f", rate);
    return text;
}

static const char *format_range(char text[40], const struct lfm_spread *spread)
{
    char low[16], high[16];
    if (!isfinite(spread->median)) return "";
    snprintf(text, 40, "(%s-%s)", format_rate(low, spread->low), format_rate(high, spread->high));
    return text;
}

static const char *format_scaled(char text[16], double value, double unit, int decimals)
{
    if (!isfinite(value)) snprintf(text, 16, "-");
    else snprintf(text, 16, "%.*f", decimals, value / unit);
    return text;
}

static void print_row(const struct lfm_bench_variant *variant, const struct lfm_bench_row *row, double bandwidth)
{
    char prefill[16], decode[16], prefill_range[40], decode_range[40], bytes[16], share[16], experts[16];
    printf("%-9s %-6s %-8s %7zu %5zu  %8s %-15s  %8s %-15s  %9s %7s %8s\n", variant->format, variant->activations,
           variant->kv, row->context, row->batch, format_rate(prefill, row->prefill.median),
           format_range(prefill_range, &row->prefill), format_rate(decode, row->decode.median),
           format_range(decode_range, &row->decode), format_scaled(bytes, bytes_per_token(row), 1e6, 1),
           format_scaled(share, 100 * share_of(row, bandwidth), 1, 0), format_scaled(experts, row->distinct_experts, 1, 2));
}

static void print_energy(const struct lfm_bench_result *result)
{
    for (size_t v = 0; v < result->n_variants; v++)
        for (size_t i = 0; i < result->variants[v].n_rows; i++) {
            const struct lfm_bench_variant *variant = &result->variants[v];
            const struct lfm_bench_row *row = &variant->rows[i];
            if (!isfinite(row->prefill_joules) && !isfinite(row->decode_joules)) continue;
            printf("energy of the processor, %s %s %s, context %zu, batch %zu: prefill %.3g, decode %.3g joules per token\n",
                   variant->format, variant->activations, variant->kv, row->context, row->batch, row->prefill_joules,
                   row->decode_joules);
        }
}

void lfm_bench_print(const struct lfm_bench_result *result)
{
    const struct lfm_bench_options *options = result->options;
    printf("%s: %.1f M parameters, %.1f M of them per token; %zu thread%s, %s\n", result->name, result->parameters / 1e6,
           result->active_parameters / 1e6, result->threads, result->threads == 1 ? "" : "s", result->cpu);
    printf("memory is read at %.1f GB/s (%.1f-%.1f, %zu passes over %.0f MB)", result->bandwidth.median / 1e9,
           result->bandwidth.low / 1e9, result->bandwidth.high / 1e9, result->bandwidth_samples,
           (double)result->bandwidth_bytes / 1e6);
    if (isfinite(result->load_before)) printf("; load before: %.2f", result->load_before);
    printf("\nprefill of %zu tokens, %zu decoded; medians (range) of %zu repeats\n\n", options->prompt_tokens,
           options->decode_tokens, options->repeats);
    printf("%-9s %-6s %-8s %7s %5s  %8s %-15s  %8s %-15s  %9s %7s %8s\n", "weights", "activ.", "kv", "context", "batch",
           "prefill", "tokens/s", "decode", "tokens/s", "MB/token", "of limit", "experts");
    for (size_t v = 0; v < result->n_variants; v++)
        for (size_t i = 0; i < result->variants[v].n_rows; i++)
            print_row(&result->variants[v], &result->variants[v].rows[i], result->bandwidth.median);
    print_energy(result);
}

/* --- JSON --- */

/* "<key>", "<key>_min" and "<key>_max". */
static void add_spread(cJSON *object, const char *key, const struct lfm_spread *spread)
{
    char name[64];
    lfm_json_add_number(object, key, spread->median);
    snprintf(name, sizeof name, "%s_min", key);
    lfm_json_add_number(object, name, spread->low);
    snprintf(name, sizeof name, "%s_max", key);
    lfm_json_add_number(object, name, spread->high);
}

static cJSON *row_json(const struct lfm_bench_variant *variant, const struct lfm_bench_row *row,
                       const struct lfm_spread *bandwidth)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "format", variant->format);
    cJSON_AddStringToObject(object, "activations", variant->activations);
    cJSON_AddStringToObject(object, "kv", variant->kv);
    lfm_json_add_number(object, "batch", (double)row->batch);
    lfm_json_add_number(object, "context", (double)row->context);
    add_spread(object, "prefill_tps", &row->prefill);
    add_spread(object, "decode_tps", &row->decode);
    lfm_json_add_number(object, "bytes_per_token", bytes_per_token(row));
    cJSON *step = cJSON_AddObjectToObject(object, "bytes_per_step");
    lfm_json_add_number(step, "weights", row->bytes.weights);
    lfm_json_add_number(step, "experts", row->bytes.experts);
    lfm_json_add_number(step, "kv", row->bytes.kv);
    lfm_json_add_number(step, "state", row->bytes.state);
    lfm_json_add_number(object, "distinct_experts", row->distinct_experts);
    lfm_json_add_number(object, "bandwidth_share", share_of(row, bandwidth->median));
    lfm_json_add_number(object, "bandwidth_share_of_best", share_of(row, bandwidth->high));
    if (isfinite(row->prefill_joules)) lfm_json_add_number(object, "prefill_joules_per_token", row->prefill_joules);
    if (isfinite(row->decode_joules)) lfm_json_add_number(object, "decode_joules_per_token", row->decode_joules);
    return object;
}

static void add_variants(cJSON *document, const struct lfm_bench_result *result)
{
    cJSON *variants = cJSON_AddArrayToObject(document, "variants");
    for (size_t v = 0; v < result->n_variants; v++) {
        const struct lfm_bench_variant *variant = &result->variants[v];
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "format", variant->format);
        cJSON_AddStringToObject(object, "activations", variant->activations);
        cJSON_AddStringToObject(object, "kv", variant->kv);
        lfm_json_add_number(object, "bytes", variant->bytes);
        lfm_json_add_number(object, "bits_per_weight", variant->bits_per_weight);
        cJSON_AddItemToArray(variants, object);
    }
}

cJSON *lfm_bench_document(const struct lfm_bench_result *result, int argc, char **argv)
{
    cJSON *document = lfm_json_document("bench", argc, argv);
    if (!document) return NULL;
    cJSON_AddStringToObject(document, "name", result->name);
    lfm_json_add_number(document, "parameters", result->parameters);
    lfm_json_add_number(document, "active_parameters", result->active_parameters);
    cJSON_AddStringToObject(document, "cpu", result->cpu);
    lfm_json_add_number(document, "threads", (double)result->threads);
    lfm_json_add_number(document, "load_average", result->load_before);
    add_spread(document, "bandwidth_read", &result->bandwidth);
    lfm_json_add_number(document, "bandwidth_samples", (double)result->bandwidth_samples);
    lfm_json_add_number(document, "bandwidth_buffer", (double)result->bandwidth_bytes);
    lfm_json_add_number(document, "repeats", (double)result->options->repeats);
    lfm_json_add_number(document, "prompt_tokens", (double)result->options->prompt_tokens);
    lfm_json_add_number(document, "decode_tokens", (double)result->options->decode_tokens);
    add_variants(document, result);
    cJSON *rows = cJSON_AddArrayToObject(document, "rows");
    for (size_t v = 0; v < result->n_variants; v++)
        for (size_t i = 0; i < result->variants[v].n_rows; i++)
            cJSON_AddItemToArray(rows, row_json(&result->variants[v], &result->variants[v].rows[i], &result->bandwidth));
    return document;
}
