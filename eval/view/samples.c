/* Reading samples.jsonl with patience: see samples.h. */
#include "eval/view/samples.h"

#include "reference/base/file.h"
#include "reference/base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#define REPLACEMENT "\xef\xbf\xbd"
#define SYMBOL_FOR_NULL "\xe2\x90\x80"

/* --- repair --- */

/* The four digits of a \uXXXX escape at `at`, or -1 when there is none. */
static long escaped_unit(const char *at, const char *end)
{
    char digits[5] = "";
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u') return -1;
    memcpy(digits, at + 2, 4);
    return strspn(digits, "0123456789abcdefABCDEF") == 4 ? strtol(digits, NULL, 16) : -1;
}

/* Copies the escape at *at, which is moved behind it. */
static enum lfm_status repair_escape(struct lfm_buffer *out, const char **at, const char *end, struct lfm_error *error)
{
    const char *start = *at;
    long unit = escaped_unit(start, end), next = unit >= 0 ? escaped_unit(start + 6, end) : -1;
    bool pair = unit >= 0xd800 && unit < 0xdc00 && next >= 0xdc00 && next < 0xe000;
    *at += pair ? 12 : unit >= 0 ? 6 : end - start >= 2 && (signed char)start[1] > 0 ? 2 : 1;
    if (unit == 0) return lfm_buffer_puts(out, "\\u2400", error);
    if (unit >= 0xd800 && unit < 0xe000 && !pair) return lfm_buffer_puts(out, "\\ufffd", error);
    return lfm_buffer_append(out, start, (size_t)(*at - start), error);
}

/* Copies the character that is not ASCII, or the zero byte, at *at, which is moved behind it. */
static enum lfm_status repair_character(struct lfm_buffer *out, const char **at, const char *end,
                                        struct lfm_error *error)
{
    const char *start = *at;
    ucs4_t point;
    int length = u8_mbtoucr(&point, (const uint8_t *)start, (size_t)(end - start));
    *at += length > 0 ? length : 1;
    if (*start == '\0') return lfm_buffer_puts(out, SYMBOL_FOR_NULL, error);
    return length > 0 ? lfm_buffer_append(out, start, (size_t)length, error) : lfm_buffer_puts(out, REPLACEMENT, error);
}

enum lfm_status lfm_repair_json(struct lfm_buffer *out, const char *line, size_t length, struct lfm_error *error)
{
    const char *end = line + length;
    while (line < end) {
        const char *start = line;
        while (line < end && (signed char)*line > 0 && *line != '\\') line++;
        LFM_TRY(lfm_buffer_append(out, start, (size_t)(line - start), error));
        if (line == end) break;
        LFM_TRY(*line == '\\' ? repair_escape(out, &line, end, error) : repair_character(out, &line, end, error));
    }
    return LFM_OK;
}

/* --- samples --- */

const char *lfm_sample_id(const cJSON *sample)
{
    return cJSON_GetObjectItemCaseSensitive(sample, "id")->valuestring;
}

size_t lfm_sample_number(const cJSON *sample)
{
    const cJSON *number = cJSON_GetObjectItemCaseSensitive(sample, "sample");
    return number ? (size_t)number->valuedouble : 0;
}

/* Compares the runs of digits at *a and *b as numbers and moves both behind them. */
static int number_order(const char **a, const char **b)
{
    *a += strspn(*a, "0");
    *b += strspn(*b, "0");
    size_t digits_a = strspn(*a, "0123456789"), digits_b = strspn(*b, "0123456789");
    int order = digits_a != digits_b ? (digits_a > digits_b) - (digits_a < digits_b) : strncmp(*a, *b, digits_a);
    *a += digits_a;
    *b += digits_b;
    return order;
}

/* strcmp with runs of digits compared as numbers. Texts that differ are never equal. */
static int natural_order(const char *a, const char *b)
{
    const char *whole_a = a, *whole_b = b;
    while (*a && *b) {
        bool numbers = isdigit((unsigned char)*a) && isdigit((unsigned char)*b);
        int order = numbers ? number_order(&a, &b) : (unsigned char)*a++ - (unsigned char)*b++;
        if (order != 0) return order;
    }
    return *a || *b ? (*a != '\0') - (*b != '\0') : strcmp(whole_a, whole_b);
}

int lfm_sample_order(const cJSON *a, const cJSON *b)
{
    int order = natural_order(lfm_sample_id(a), lfm_sample_id(b));
    size_t number_a = lfm_sample_number(a), number_b = lfm_sample_number(b);
    return order != 0 ? (order > 0) - (order < 0) : (number_a > number_b) - (number_a < number_b);
}

static bool is_sample(const cJSON *row)
{
    struct lfm_error error;
    const char *id;
    size_t number = 0;
    return cJSON_IsObject(row) && lfm_json_require_string(row, "id", "", &id, &error) == LFM_OK &&
           lfm_json_optional_size(row, "sample", "", &number, &error) == LFM_OK;
}

/* `whole` says whether the line ended in a newline: what a killed process left does not. */
static enum lfm_status take_line(struct lfm_samples *samples, const char *line, size_t length, bool whole,
                                 struct lfm_buffer *scratch, struct lfm_error *error)
{
    cJSON *row;
    struct lfm_error ignored;
    lfm_buffer_clear(scratch);
    LFM_TRY(lfm_repair_json(scratch, line, length, error));
    if (scratch->length == 0 || strspn(scratch->data, " \t\r") == scratch->length) return LFM_OK;
    if (lfm_json_parse(&row, scratch->data, scratch->length, "", &ignored) != LFM_OK) row = NULL;
    if (!row || !is_sample(row)) {
        cJSON_Delete(row);
        samples->torn = samples->torn || !whole;
        samples->damaged += whole;
        return LFM_OK;
    }
    enum lfm_status status = LFM_GROW(&samples->items, &samples->capacity, samples->count + 1, error);
    if (status != LFM_OK) cJSON_Delete(row);
    else samples->items[samples->count++] = row;
    return status;
}

static enum lfm_status take_lines(struct lfm_samples *samples, const struct lfm_buffer *text, struct lfm_error *error)
{
    struct lfm_buffer scratch = {0};
    enum lfm_status status = LFM_OK;
    for (size_t start = 0; start < text->length && status == LFM_OK;) {
        const char *line = text->data + start, *end = memchr(line, '\n', text->length - start);
        size_t length = end ? (size_t)(end - line) : text->length - start;
        status = take_line(samples, line, length, end != NULL, &scratch, error);
        start += length + 1;
    }
    lfm_buffer_release(&scratch);
    return status;
}

/* --- order --- */

struct entry {
    cJSON *sample;
    size_t line;
};

static int by_order(const void *a, const void *b)
{
    const struct entry *first = a, *second = b;
    int order = lfm_sample_order(first->sample, second->sample);
    return order != 0 ? order : (first->line > second->line) - (first->line < second->line);
}

static enum lfm_status sort(struct lfm_samples *samples, struct lfm_error *error)
{
    struct entry *entries;
    size_t kept = 0;
    LFM_TRY(LFM_ALLOC(&entries, samples->count, error));
    for (size_t i = 0; i < samples->count; i++) entries[i] = (struct entry){samples->items[i], i};
    qsort(entries, samples->count, sizeof *entries, by_order);
    for (size_t i = 0; i < samples->count; i++) {
        bool last = i + 1 == samples->count || lfm_sample_order(entries[i].sample, entries[i + 1].sample) != 0;
        if (last) samples->items[kept++] = entries[i].sample;
        else cJSON_Delete(entries[i].sample);
    }
    samples->count = kept;
    free(entries);
    return LFM_OK;
}

enum lfm_status lfm_samples_read(struct lfm_samples *samples, const char *path, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    *samples = (struct lfm_samples){0};
    if (!lfm_file_exists(path)) return LFM_OK;
    enum lfm_status status = lfm_read_file(&text, path, error);
    if (status == LFM_OK) status = take_lines(samples, &text, error);
    lfm_buffer_release(&text);
    if (status == LFM_OK) status = sort(samples, error);
    if (status != LFM_OK) lfm_samples_release(samples);
    return status;
}

void lfm_samples_release(struct lfm_samples *samples)
{
    for (size_t i = 0; i < samples->count; i++) cJSON_Delete(samples->items[i]);
    free(samples->items);
    *samples = (struct lfm_samples){0};
}
