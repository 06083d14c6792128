/* Documents and windows: see text.h. */
#include "reference/model/text.h"

#include "reference/base/buffer.h"
#include "reference/base/file.h"
#include "reference/base/json.h"
#include "reference/base/memory.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    struct lfm_documents *documents;
    const struct lfm_tokenizer *tokenizer;
    bool special;
};

static void release_document(struct lfm_document *document)
{
    free(document->name);
    free(document->label);
    lfm_tokens_release(&document->tokens);
}

void lfm_documents_release(struct lfm_documents *documents)
{
    for (size_t i = 0; i < documents->count; i++) release_document(&documents->items[i]);
    free(documents->items);
    *documents = (struct lfm_documents){0};
}

/* Tokenizes one text and appends it; `label` may be NULL. */
static enum lfm_status add_document(const struct reader *reader, const char *name, const char *label, const char *text,
                                    size_t length, struct lfm_error *error)
{
    struct lfm_documents *documents = reader->documents;
    if (length == 0) return lfm_fail(error, LFM_ERROR_FORMAT, "%s: the text is empty", name);
    LFM_TRY(LFM_GROW(&documents->items, &documents->capacity, documents->count + 1, error));

    struct lfm_document document = {0};
    enum lfm_status status = LFM_OK;
    LFM_TRY_DONE(lfm_copy_string(&document.name, name, strlen(name), error));
    if (label) LFM_TRY_DONE(lfm_copy_string(&document.label, label, strlen(label), error));
    LFM_TRY_DONE(lfm_tokenize(reader->tokenizer, text, length, true, reader->special, &document.tokens, error));
    documents->n_tokens += document.tokens.count;
    documents->items[documents->count++] = document;
    return LFM_OK;

done:
    release_document(&document);
    return status;
}

/* One line of a JSONL file; `name` is "file:line". */
static enum lfm_status add_line(const struct reader *reader, const char *name, const char *line, size_t length,
                                struct lfm_error *error)
{
    cJSON *object = NULL;
    const char *text = NULL;
    enum lfm_status status = LFM_OK;
    LFM_TRY(lfm_json_refuse_zero(line, length, name, error));
    if (lfm_json_parse(&object, line, length, name, NULL) != LFM_OK || !cJSON_IsObject(object)) {
        status = lfm_fail(error, LFM_ERROR_FORMAT, "%s: expected one JSON object with a \"text\" on the line", name);
        goto done;
    }
    LFM_TRY_DONE(lfm_json_require_string(object, "text", name, &text, error));
    const cJSON *label = cJSON_GetObjectItemCaseSensitive(object, "label");
    if (label && !cJSON_IsString(label) && !cJSON_IsNull(label)) {
        status = lfm_fail(error, LFM_ERROR_FORMAT, "%s: 'label' must be a string", name);
        goto done;
    }
    status = add_document(reader, name, cJSON_IsString(label) ? label->valuestring : NULL, text, strlen(text), error);

done:
    cJSON_Delete(object);
    return status;
}

/* `text` continues to a terminating zero somewhere after `length`. */
static bool is_blank(const char *text, size_t length)
{
    return strspn(text, " \t\r") >= length;
}

static enum lfm_status add_lines(const struct reader *reader, const char *path, const char *text, size_t length,
                                 struct lfm_error *error)
{
    struct lfm_buffer name = {0};
    enum lfm_status status = LFM_OK;
    size_t before = reader->documents->count, number = 0;
    for (size_t start = 0; start < length && status == LFM_OK;) {
        const char *newline = memchr(text + start, '\n', length - start);
        size_t end = newline ? (size_t)(newline - text) : length;
        number++;
        if (!is_blank(text + start, end - start)) {
            lfm_buffer_clear(&name);
            status = lfm_buffer_printf(&name, error, "%s:%zu", path, number);
            if (status == LFM_OK) status = add_line(reader, name.data, text + start, end - start, error);
        }
        start = end + 1;
    }
    if (status == LFM_OK && reader->documents->count == before)
        status = lfm_fail(error, LFM_ERROR_FORMAT, "%s: the file holds no documents", path);
    lfm_buffer_release(&name);
    return status;
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t length = strlen(text), tail = strlen(suffix);
    return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

/* JSON Lines go by their name, or by their first line: an object with a "text". */
static bool holds_lines(const char *path, const char *text, size_t length)
{
    const char *newline = length > 0 ? memchr(text, '\n', length) : NULL;
    cJSON *object = NULL;
    if (ends_with(path, ".jsonl")) return true;
    if (length == 0 || text[0] != '{') return false;
    bool holds = lfm_json_parse(&object, text, newline ? (size_t)(newline - text) : length, path, NULL) == LFM_OK &&
                 cJSON_IsString(cJSON_GetObjectItemCaseSensitive(object, "text"));
    cJSON_Delete(object);
    return holds;
}

enum lfm_status lfm_documents_read(struct lfm_documents *documents, const char *const *paths, size_t n_paths,
                                   const struct lfm_tokenizer *tokenizer, bool special, struct lfm_error *error)
{
    const struct reader reader = {documents, tokenizer, special};
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; i < n_paths && status == LFM_OK; i++) {
        struct lfm_buffer text = {0};
        const char *path = paths[i];
        const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
        status = lfm_read_file(&text, path, error);
        if (status == LFM_OK)
            status = holds_lines(path, text.data, text.length)
                         ? add_lines(&reader, name, text.data, text.length, error)
                         : add_document(&reader, name, NULL, text.data, text.length, error);
        lfm_buffer_release(&text);
    }
    return status;
}

/* Where the window that begins at `start` ends, and what it scores, in a document of `length` ids. `done` is the end
 * of the window before, 0 for the first. */
static void measure(const struct lfm_window_options *options, size_t start, size_t done, size_t length,
                    struct lfm_window *window)
{
    size_t N = options->context;
    window->start = start;
    window->n = length - start < N ? length - start : N;
    window->first = 0;
    if (options->stride > 0 && done > 0)
        window->first = done - 1 - start;
    else if (options->stride == 0 && options->score == LFM_SCORE_HALF)
        window->first = window->n == N ? N / 2 : window->n;
    window->count = window->n > window->first + 1 ? window->n - 1 - window->first : 0;
}

/* The next window without its tokens; skips windows and documents with nothing to score. */
static bool advance(struct lfm_windows *windows, struct lfm_window *window)
{
    const struct lfm_window_options *options = &windows->options;
    for (; windows->document < windows->documents->count; windows->document++, windows->start = windows->end = 0) {
        size_t length = windows->documents->items[windows->document].tokens.count;
        while (windows->start < length && windows->end < length) {
            measure(options, windows->start, windows->end, length, window);
            window->document = windows->document;
            windows->end = windows->start + window->n;
            windows->start += options->stride ? options->stride : options->context;
            if (window->count > 0) return true;
        }
    }
    return false;
}

void lfm_windows_rewind(struct lfm_windows *windows)
{
    windows->document = windows->start = windows->end = 0;
}

bool lfm_windows_next(struct lfm_windows *windows, struct lfm_window *window)
{
    if (!advance(windows, window)) return false;
    const int32_t *ids = windows->documents->items[window->document].tokens.ids;
    memcpy(windows->tokens, ids + window->start, window->n * sizeof *ids);
    if (windows->options.bos >= 0) windows->tokens[0] = windows->options.bos;
    window->tokens = windows->tokens;
    return true;
}

void lfm_windows_release(struct lfm_windows *windows)
{
    free(windows->tokens);
    *windows = (struct lfm_windows){0};
}

static void count(struct lfm_windows *windows)
{
    struct lfm_window window = {0};
    size_t last = SIZE_MAX;
    while (advance(windows, &window)) {
        windows->n_windows++;
        windows->n_tokens += window.n;
        windows->n_scored += window.count;
        windows->n_documents += window.document != last;
        if (window.n > windows->longest) windows->longest = window.n;
        last = window.document;
    }
    lfm_windows_rewind(windows);
}

static enum lfm_status nothing_to_score(const struct lfm_windows *windows, size_t least, struct lfm_error *error)
{
    const struct lfm_document *longest = NULL;
    for (size_t i = 0; i < windows->documents->count; i++) {
        const struct lfm_document *document = &windows->documents->items[i];
        if (!longest || document->tokens.count > longest->tokens.count) longest = document;
    }
    if (!longest) return lfm_fail(error, LFM_ERROR_MISMATCH, "there is no text to score");
    if (longest->tokens.count < least)
        return lfm_fail(error, LFM_ERROR_MISMATCH, "the text is too short: the longest document, '%s', has %zu tokens, "
                        "at least %zu are needed", longest->name, longest->tokens.count, least);
    return lfm_fail(error, LFM_ERROR_MISMATCH, "the text is too short: one window takes %zu tokens, the longest "
                    "document, '%s', has %zu; use --score all, or --context %zu or less", windows->options.context,
                    longest->name, longest->tokens.count, longest->tokens.count);
}

enum lfm_status lfm_windows_start(struct lfm_windows *windows, const struct lfm_documents *documents,
                                  const struct lfm_window_options *options, struct lfm_error *error)
{
    size_t least = options->stride == 0 && options->score == LFM_SCORE_HALF ? 3 : 2;
    *windows = (struct lfm_windows){.documents = documents, .options = *options};
    if (options->context < least)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "the context must be at least %zu tokens, not %zu", least,
                        options->context);
    if (options->stride >= options->context)
        return lfm_fail(error, LFM_ERROR_ARGUMENT, "the stride must be less than the context of %zu tokens, not %zu",
                        options->context, options->stride);
    count(windows);
    if (windows->n_scored == 0) return nothing_to_score(windows, least, error);
    return LFM_ALLOC(&windows->tokens, windows->longest, error);
}
