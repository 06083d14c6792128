/* Documents from files, and the windows they are cut into. */
#include "reference/base/file.h"
#include "reference/model/text.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

#include <stdlib.h>

static struct lfm_error error;

/* --- windows --- */

enum { BOS = 1, MAX_DOCUMENTS = 4, MAX_TOKENS = 64 };

/* Documents of the given lengths; token t of document d has id 100 * (d + 1) + t. */
static struct lfm_documents make_documents(const size_t *lengths, size_t n)
{
    static struct lfm_document items[MAX_DOCUMENTS];
    static int32_t ids[MAX_DOCUMENTS][MAX_TOKENS];
    static char name[] = "a.txt";
    for (size_t d = 0; d < n; d++) {
        for (size_t t = 0; t < lengths[d]; t++) ids[d][t] = (int32_t)(100 * (d + 1) + t);
        items[d] = (struct lfm_document){.name = name, .tokens = {.ids = ids[d], .count = lengths[d]}};
    }
    return (struct lfm_documents){.items = items, .count = n};
}

static void expect_window(struct lfm_windows *windows, size_t document, size_t start, size_t n, size_t first,
                          size_t count)
{
    struct lfm_window window = {0};
    cr_assert(lfm_windows_next(windows, &window), "a window is missing");
    cr_assert_eq(window.document, document, "document %zu, expected %zu", window.document, document);
    cr_assert_eq(window.start, start, "start %zu, expected %zu", window.start, start);
    cr_assert_eq(window.n, n, "n %zu, expected %zu", window.n, n);
    cr_assert_eq(window.first, first, "first %zu, expected %zu", window.first, first);
    cr_assert_eq(window.count, count, "count %zu, expected %zu", window.count, count);
    for (size_t i = 1; i < n; i++) cr_assert_eq(window.tokens[i], (int32_t)(100 * (document + 1) + start + i));
}

static void expect_end(struct lfm_windows *windows)
{
    struct lfm_window window;
    cr_assert(!lfm_windows_next(windows, &window), "there is a window too many");
}

Test(windows, score_the_second_half_of_full_windows_as_llama_perplexity_does)
{
    const size_t lengths[] = {19};
    const struct lfm_documents documents = make_documents(lengths, 1);
    const struct lfm_window_options options = {.context = 8, .bos = BOS};
    struct lfm_windows windows;
    assert_ok(lfm_windows_start(&windows, &documents, &options, &error));
    cr_assert_eq(windows.n_windows, 2);
    cr_assert_eq(windows.n_tokens, 16);
    cr_assert_eq(windows.n_scored, 6);
    expect_window(&windows, 0, 0, 8, 4, 3);
    expect_window(&windows, 0, 8, 8, 4, 3);
    expect_end(&windows);
    lfm_windows_release(&windows);
}

Test(windows, of_odd_context_score_from_the_lower_half)
{
    const size_t lengths[] = {7};
    const struct lfm_documents documents = make_documents(lengths, 1);
    const struct lfm_window_options options = {.context = 7, .bos = BOS};
    struct lfm_windows windows;
    assert_ok(lfm_windows_start(&windows, &documents, &options, &error));
    expect_window(&windows, 0, 0, 7, 3, 3);
    lfm_windows_release(&windows);
}

Test(windows, begin_with_bos_where_the_tokenizer_adds_one)
{
    const size_t lengths[] = {16};
    const struct lfm_documents documents = make_documents(lengths, 1);
    struct lfm_window_options options = {.context = 8, .bos = BOS};
    struct lfm_windows windows;
    struct lfm_window window;
    assert_ok(lfm_windows_start(&windows, &documents, &options, &error));
    while (lfm_windows_next(&windows, &window)) cr_assert_eq(window.tokens[0], BOS);
    cr_assert_eq(documents.items[0].tokens.ids[8], 108, "the document was changed");
    lfm_windows_release(&windows);

    options.bos = -1;
    assert_ok(lfm_windows_start(&windows, &documents, &options, &error));
    while (lfm_windows_next(&windows, &window)) cr_assert_eq(window.tokens[0], (int32_t)(100 + window.start));
    lfm_windows_release(&windows);
}

Test(windows, score_everything_when_asked)
{
    const size_t lengths[] = {11, 9, 1, 3};
    const struct lfm_documents documents = make_documents(lengths, 4);
    const struct lfm_window_options options = {.context = 8, .score = LFM_SCORE_ALL, .bos = BOS};
    struct lfm_windows windows;
    assert_ok(lfm_windows_start(&windows, &documents, &options, &error));
    cr_assert_eq(windows.n_documents, 3);
    cr_assert_eq(windows.n_scored, 7 + 2 + 7 + 2);
    expect_window(&windows, 0, 0, 8, 0, 7);
    expect_window(&windows, 0, 8, 3, 0, 2);
    expect_window(&windows, 1, 0, 8, 0, 7);
    expect_window(&windows, 3, 0, 3, 0, 2);
    expect_end(&windows);
    lfm_windows_release(&windows);
}

Test(windows, never_span_documents_and_leave_short_ones_out)
{
    const size_t lengths[] = {7, 9, 8};
    const struct lfm_documents documents = make_documents(lengths, 3);
    const struct lfm_window_options options = {.context = 8, .bos = BOS};
    struct lfm_windows windows;
    assert_ok(lfm_windows_start(&windows, &documents, &options, &error));
    cr_assert_eq(windows.n_documents, 2);
    expect_window(&windows, 1, 0, 8, 4, 3);
    expect_window(&windows, 2, 0, 8, 4, 3);
    expect_end(&windows);
    lfm_windows_release(&windows);
}

Test(windows, of_a_stride_score_every_id_but_the_first_once)
{
    const size_t lengths[] = {21, 6};
    const struct lfm_documents documents = make_documents(lengths, 2);
    const struct lfm_window_options options = {.context = 8, .stride = 5, .bos = BOS};
    struct lfm_windows windows;
    struct lfm_window window;
    assert_ok(lfm_windows_start(&windows, &documents, &options, &error));
    expect_window(&windows, 0, 0, 8, 0, 7);
    expect_window(&windows, 0, 5, 8, 2, 5);
    expect_window(&windows, 0, 10, 8, 2, 5);
    expect_window(&windows, 0, 15, 6, 2, 3);
    expect_window(&windows, 1, 0, 6, 0, 5);
    expect_end(&windows);

    size_t scored[2][MAX_TOKENS] = {{0}};
    lfm_windows_rewind(&windows);
    while (lfm_windows_next(&windows, &window))
        for (size_t i = 0; i < window.count; i++) scored[window.document][window.start + window.first + i + 1]++;
    for (size_t d = 0; d < 2; d++)
        for (size_t t = 0; t < lengths[d]; t++) cr_assert_eq(scored[d][t], t > 0, "id %zu: %zu times", t, scored[d][t]);
    lfm_windows_release(&windows);
}

Test(windows, longer_than_the_text_are_as_long_as_the_text)
{
    const size_t lengths[] = {5};
    const struct lfm_documents documents = make_documents(lengths, 1);
    const struct lfm_window_options options = {.context = SIZE_MAX, .score = LFM_SCORE_ALL, .bos = BOS};
    struct lfm_windows windows;
    assert_ok(lfm_windows_start(&windows, &documents, &options, &error));
    cr_assert_eq(windows.longest, 5);
    expect_window(&windows, 0, 0, 5, 0, 4);
    expect_end(&windows);
    lfm_windows_release(&windows);
}

Test(windows, refuse_a_text_too_short_and_say_what_would_do)
{
    const size_t lengths[] = {5, 7}, tiny[] = {2}, single[] = {1};
    struct lfm_window_options options = {.context = 8, .bos = BOS};
    struct lfm_windows windows;
    struct lfm_documents documents = make_documents(lengths, 2);
    assert_fails(lfm_windows_start(&windows, &documents, &options, &error), LFM_ERROR_MISMATCH,
                 "one window takes 8 tokens, the longest document, 'a.txt', has 7; use --score all, or --context 7");
    documents = make_documents(tiny, 1);
    assert_fails(lfm_windows_start(&windows, &documents, &options, &error), LFM_ERROR_MISMATCH,
                 "has 2 tokens, at least 3");
    documents = make_documents(single, 1);
    options.score = LFM_SCORE_ALL;
    assert_fails(lfm_windows_start(&windows, &documents, &options, &error), LFM_ERROR_MISMATCH,
                 "has 1 tokens, at least 2");
}

Test(windows, refuse_options_that_make_no_sense)
{
    const size_t lengths[] = {20};
    const struct lfm_documents documents = make_documents(lengths, 1);
    struct lfm_windows windows;
    struct lfm_window_options options = {.context = 2, .bos = BOS};
    assert_fails(lfm_windows_start(&windows, &documents, &options, &error), LFM_ERROR_ARGUMENT,
                 "at least 3 tokens, not 2");
    options = (struct lfm_window_options){.context = 8, .stride = 8, .bos = BOS};
    assert_fails(lfm_windows_start(&windows, &documents, &options, &error), LFM_ERROR_ARGUMENT,
                 "less than the context");
    options = (struct lfm_window_options){.context = 0, .bos = BOS};
    assert_fails(lfm_windows_start(&windows, &documents, &options, &error), LFM_ERROR_ARGUMENT, "not 0");
}

/* --- documents --- */

static struct lfm_tokenizer *tokenizer;
static char demo_model[] = "datasets/demo-model";

static void open_tokenizer(void)
{
    const struct lfm_checkpoint checkpoint = {.container = LFM_HUGGING_FACE, .path = demo_model};
    make_directory();
    assert_ok(lfm_tokenizer_open(&tokenizer, &checkpoint, &error));
}

static void remove_files(void)
{
    remove_directory();
    lfm_tokenizer_free(tokenizer);
}

/* The path of a file with this text. */
static const char *written(const char *name, const char *text)
{
    write_text(name, text);
    return in_directory(name);
}

/* Reads one file and expects the failure. */
static void expect_refusal(const char *name, const char *text, const char *part)
{
    struct lfm_documents documents = {0};
    const char *path = written(name, text);
    const char *paths[] = {path};
    assert_fails(lfm_documents_read(&documents, paths, 1, tokenizer, false, &error), LFM_ERROR_FORMAT, part);
    lfm_documents_release(&documents);
}

TestSuite(documents, .init = open_tokenizer, .fini = remove_files);

Test(documents, are_whole_files_with_bos_in_front)
{
    struct lfm_documents documents = {0};
    const char *first = written("a.txt", "One morning"), *second = written("b.txt", "the road\nto the tower");
    const char *paths[] = {first, second};
    assert_ok(lfm_documents_read(&documents, paths, 2, tokenizer, false, &error));
    cr_assert_eq(documents.count, 2);
    cr_assert_str_eq(documents.items[1].name, second);
    cr_assert_null(documents.items[1].label);
    cr_assert_eq(documents.items[0].tokens.ids[0], lfm_bos_id(tokenizer));
    cr_assert_eq(documents.n_tokens, documents.items[0].tokens.count + documents.items[1].tokens.count);
    lfm_documents_release(&documents);
}

Test(documents, of_jsonl_are_lines_with_labels)
{
    struct lfm_documents documents = {0};
    const char *path = written("c.jsonl", "{\"text\": \"One\", \"label\": \"story\"}\r\n\n"
                                       "{\"text\": \"two\\nlines\", \"label\": null}");
    const char *paths[] = {path};
    assert_ok(lfm_documents_read(&documents, paths, 1, tokenizer, false, &error));
    cr_assert_eq(documents.count, 2);
    cr_assert_str_eq(documents.items[0].label, "story");
    cr_assert_null(documents.items[1].label);
    cr_assert(strstr(documents.items[1].name, "c.jsonl:3") != NULL, "the name is '%s'", documents.items[1].name);
    lfm_documents_release(&documents);
}

Test(documents, take_special_tokens_for_text_unless_told_otherwise)
{
    struct lfm_documents plain = {0}, special = {0};
    const char *path = written("a.txt", "<|im_end|>");
    const char *paths[] = {path};
    assert_ok(lfm_documents_read(&plain, paths, 1, tokenizer, false, &error));
    assert_ok(lfm_documents_read(&special, paths, 1, tokenizer, true, &error));
    cr_assert_gt(plain.items[0].tokens.count, 2);
    cr_assert_eq(special.items[0].tokens.count, 2);
    cr_assert_eq(special.items[0].tokens.ids[1], lfm_token_id(tokenizer, "<|im_end|>"));
    lfm_documents_release(&plain);
    lfm_documents_release(&special);
}

Test(documents, refuse_empty_texts)
{
    expect_refusal("a.txt", "", "a.txt: the text is empty");
    expect_refusal("c.jsonl", "{\"text\": \"\"}\n", "c.jsonl:1: the text is empty");
    expect_refusal("c.jsonl", "\n \n", "the file holds no documents");
}

Test(documents, refuse_malformed_lines_by_number)
{
    expect_refusal("c.jsonl", "{\"text\": \"x\"}\n{\"text\": \n", "c.jsonl:2: expected one JSON object");
    expect_refusal("c.jsonl", "[1]\n", "c.jsonl:1: expected one JSON object");
    expect_refusal("c.jsonl", "{\"text\": \"x\"} {\"text\": \"y\"}\n", "c.jsonl:1: expected one JSON object");
    expect_refusal("c.jsonl", "{\"label\": \"x\"}\n", "c.jsonl:1: 'text' is missing");
    expect_refusal("c.jsonl", "{\"text\": 3}\n", "c.jsonl:1: 'text' must be a string");
    expect_refusal("c.jsonl", "{\"text\": \"x\", \"label\": 3}\n", "c.jsonl:1: 'label' must be a string");
}

Test(documents, refuse_an_escaped_zero_byte_rather_than_lose_the_rest)
{
    expect_refusal("c.jsonl", "{\"text\": \"left\\u0000right\"}\n", "c.jsonl:1: a zero byte");
    struct lfm_documents documents = {0};
    const char *path = written("c.jsonl", "{\"text\": \"a backslash, \\\\u0000\"}\n");
    const char *paths[] = {path};
    assert_ok(lfm_documents_read(&documents, paths, 1, tokenizer, false, &error));
    lfm_documents_release(&documents);
}

Test(documents, that_cannot_be_opened_are_an_error)
{
    struct lfm_documents documents = {0};
    const char *paths[] = {"/nonexistent/file.txt"};
    assert_fails(lfm_documents_read(&documents, paths, 1, tokenizer, false, &error), LFM_ERROR_IO,
                 "/nonexistent/file.txt");
    lfm_documents_release(&documents);
}
