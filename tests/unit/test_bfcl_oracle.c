/* Decoder and checker of BFCL against bfcl-eval 2026.3.23: thousands of responses with the official outcome, laid
 * beside the project by those who have them. Verdicts need the published data too, in $LFMSCOPE_DATA/bfcl. */
#include "eval/bfcl/bfcl.h"
#include "eval/bfcl/python_syntax.h"
#include "tests/unit/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CASES "../shared/oracle/bfcl/cases-open.jsonl.gz"

typedef const struct lfm_py_value *value;

enum { MOST_CATEGORIES = 32 };
struct tally {
    char name[64];
    size_t rows, wrong;
};
struct oracle {
    struct lfm_bfcl_data data;
    struct tally tallies[MOST_CATEGORIES];
    size_t n_tallies;
    struct lfm_arena arena; /* of the row at hand */
};

static const char *text_of(value row, const char *key)
{
    value text = lfm_py_get_named(row, key);
    return text && text->type == LFM_PY_STR ? text->text.at : NULL;
}

static value literal(struct oracle *o, struct lfm_span source)
{
    struct lfm_error error;
    struct lfm_node *node;
    struct lfm_py_value *out;
    assert_ok(lfm_py_parse(&o->arena, &node, source, &error));
    assert_ok(lfm_py_evaluate(&o->arena, &out, node, &error));
    return out;
}

static value untag(struct oracle *o, value tagged);

/* A dict's key: "__none__" is None, "__key__1" is 1. */
static value untag_key(struct oracle *o, value key)
{
    static const char prefix[] = "__key__";
    struct lfm_span text = key->text;
    if (lfm_py_is_str(key, "__none__")) return literal(o, lfm_span_of("None"));
    if (!lfm_span_starts_with(text, lfm_span_of(prefix))) return key;
    return literal(o, (struct lfm_span){text.at + sizeof prefix - 1, text.length - sizeof prefix + 1});
}

static value untag_dict(struct oracle *o, value tagged)
{
    struct lfm_error error;
    struct lfm_py_value *out;
    const char *type = text_of(tagged, "__py__"), *number = text_of(tagged, "__float__");
    value tuple = lfm_py_get_named(tagged, "__tuple__");
    if (type && strcmp(type, "ellipsis") == 0) return literal(o, lfm_span_of("'...'"));
    if (type) return literal(o, lfm_py_get_named(tagged, "repr")->text);
    if (number && strcmp(number, "inf") == 0) return literal(o, lfm_span_of("1e999"));
    assert_ok(lfm_py_new(&o->arena, &out, tuple ? LFM_PY_TUPLE : LFM_PY_DICT, &error));
    for (size_t i = 0; tuple && i < tuple->count; i++)
        assert_ok(lfm_py_append(&o->arena, out, untag(o, tuple->items[i]), &error));
    for (size_t i = 0; !tuple && i < tagged->count; i += 2)
        assert_ok(lfm_py_set(&o->arena, out, untag_key(o, tagged->items[i]), untag(o, tagged->items[i + 1]), &error));
    return out;
}

/* The value that the case's JSON stands for. */
static value untag(struct oracle *o, value tagged)
{
    struct lfm_error error;
    struct lfm_py_value *out;
    if (tagged->type == LFM_PY_DICT) return untag_dict(o, tagged);
    if (tagged->type != LFM_PY_LIST) return tagged;
    assert_ok(lfm_py_new(&o->arena, &out, LFM_PY_LIST, &error));
    for (size_t i = 0; i < tagged->count; i++)
        assert_ok(lfm_py_append(&o->arena, out, untag(o, tagged->items[i]), &error));
    return out;
}

/* repr tells types apart that == does not. */
static bool same(value a, value b)
{
    struct lfm_error error;
    struct lfm_buffer left = {0}, right = {0};
    assert_ok(lfm_py_repr(&left, a, &error));
    assert_ok(lfm_py_repr(&right, b, &error));
    bool equal = strcmp(left.data, right.data) == 0;
    if (!equal) cr_log_error("got %s\nexpected %s", left.data, right.data);
    lfm_buffer_release(&left);
    lfm_buffer_release(&right);
    return equal;
}

static struct tally *tally_of(struct oracle *o, const char *mode, const char *category)
{
    char name[64];
    snprintf(name, sizeof name, "%s %s", mode, category);
    for (size_t i = 0; i < o->n_tallies; i++)
        if (strcmp(o->tallies[i].name, name) == 0) return &o->tallies[i];
    cr_assert(o->n_tallies < MOST_CATEGORIES);
    struct tally *tally = &o->tallies[o->n_tallies++];
    snprintf(tally->name, sizeof tally->name, "%s", name);
    return tally;
}

static void count(struct oracle *o, value row, bool right)
{
    struct tally *tally = tally_of(o, text_of(row, "mode"), text_of(row, "category"));
    tally->rows++;
    tally->wrong += !right;
    const char *raw = text_of(row, "raw");
    if (!right) cr_log_error("%s: %s", text_of(row, "id"), raw ? raw : "");
}

static bool decodes_as_expected(struct oracle *o, value row, enum lfm_call_mode mode)
{
    struct lfm_error error;
    struct lfm_py_value *calls;
    const char *error_type = text_of(row, "error_type");
    bool fails = text_of(row, "decode_error") || (error_type && strcmp(error_type, "ast_decoder:decoder_failed") == 0);
    value expected = lfm_py_get_named(row, "decoded");
    enum lfm_status status = lfm_decode_calls(&o->arena, &calls, mode, lfm_py_get_named(row, "raw")->text, &error);
    cr_assert(status == LFM_OK || status == LFM_ERROR_FORMAT, "%s", error.message);
    return fails ? status == LFM_ERROR_FORMAT : status == LFM_OK && same(calls, untag(o, expected));
}

static bool is_other_language(value row)
{
    return strstr(text_of(row, "category"), "java") != NULL;
}

static void check_decoding(struct oracle *o, value row)
{
    enum lfm_call_mode mode;
    const char *name = text_of(row, "mode");
    /* The cases of irrelevance only say whether there was a call. */
    bool verdict_only = strcmp(name, "decoded") == 0 || strcmp(text_of(row, "category"), "irrelevance") == 0;
    if (is_other_language(row) || verdict_only) return;
    if (strcmp(name, "decode_only") == 0) name = "prompt";
    cr_assert(lfm_call_mode_find(name, &mode));
    count(o, row, decodes_as_expected(o, row, mode));
}

static void check_lfm2(struct oracle *o, value row)
{
    struct lfm_error error;
    struct lfm_lfm2_response parts;
    struct lfm_py_value *calls;
    value expected = lfm_py_get_named(row, "model_responses");
    if (!expected) return;
    assert_ok(lfm_split_lfm2(&o->arena, &parts, lfm_py_get_named(row, "raw")->text, &error));
    assert_ok(lfm_lfm2_tool_calls(&o->arena, &calls, parts.visible, &error));
    count(o, row, lfm_span_equals(parts.calls, expected->text) &&
                      lfm_span_equals(parts.reasoning, lfm_py_get_named(row, "reasoning")->text) &&
                      same(calls, untag(o, lfm_py_get_named(row, "tool_calls"))));
}

static void check_recorded_calls(struct oracle *o, value row)
{
    struct lfm_error error;
    struct lfm_py_value *calls;
    struct lfm_buffer visible = {0};
    value expected = lfm_py_get_named(row, "lfm2_tool_calls"), raw = lfm_py_get_named(row, "raw");
    if (!expected) return;
    assert_ok(lfm_buffer_puts(&visible, "<|tool_call_start|>", &error));
    assert_ok(lfm_buffer_append(&visible, raw->text.at, raw->text.length, &error));
    assert_ok(lfm_buffer_puts(&visible, "<|tool_call_end|>", &error));
    assert_ok(lfm_lfm2_tool_calls(&o->arena, &calls, (struct lfm_span){visible.data, visible.length}, &error));
    count(o, row, same(calls, untag(o, expected)));
    lfm_buffer_release(&visible);
}

static void check_verdict(struct oracle *o, value row)
{
    struct lfm_error error;
    struct lfm_bfcl_verdict verdict;
    enum lfm_call_mode mode = LFM_CALLS_PROMPT;
    const char *error_type = text_of(row, "error_type"), *id = text_of(row, "test_id");
    if (!id || is_other_language(row)) return;
    const struct lfm_bfcl_item *item = lfm_bfcl_find(&o->data, id);
    cr_assert_not_null(item, "no item %s", id);
    if (lfm_call_mode_find(text_of(row, "mode"), &mode))
        assert_ok(lfm_bfcl_score(&verdict, item, mode, lfm_py_get_named(row, "raw")->text, &error));
    else
        assert_ok(lfm_bfcl_score_calls(&verdict, item, false, untag(o, lfm_py_get_named(row, "decoded")), &error));
    bool right = verdict.scored && verdict.valid == lfm_py_get_named(row, "valid")->boolean;
    if (right && error_type) right = verdict.error_type && strcmp(verdict.error_type, error_type) == 0;
    if (!right) cr_log_error("%s: got %s, expected %s", id, verdict.error_type, error_type);
    count(o, row, right);
}

/* Calls `check` with every row, and demands that no count is wrong. */
static void each_row(struct oracle *o, void (*check)(struct oracle *o, value row))
{
    struct lfm_error error;
    char *line = NULL;
    size_t capacity = 0, rows = 0, wrong = 0;
    FILE *file = popen("gzip -dc " CASES, "r");
    cr_assert_not_null(file);
    for (ssize_t length; (length = getline(&line, &capacity, file)) > 0;) {
        struct lfm_py_value *row;
        assert_ok(lfm_py_json_value(&o->arena, &row, (struct lfm_span){line, (size_t)length}, CASES, &error));
        check(o, row);
        lfm_arena_release(&o->arena);
    }
    free(line);
    pclose(file);
    for (size_t i = 0; i < o->n_tallies; i++) {
        cr_log_info("%-32s %5zu rows, %zu wrong", o->tallies[i].name, o->tallies[i].rows, o->tallies[i].wrong);
        rows += o->tallies[i].rows;
        wrong += o->tallies[i].wrong;
    }
    cr_assert(rows > 0, "no row was checked");
    cr_assert(wrong == 0, "%zu of %zu rows differ", wrong, rows);
}

static void need_cases(void)
{
    if (access(CASES, R_OK) != 0) cr_skip_test("skipped: no %s", CASES);
}

Test(bfcl_oracle, responses_decode_as_the_official_scorer_decodes_them)
{
    struct oracle o = {0};
    need_cases();
    each_row(&o, check_decoding);
}

Test(bfcl_oracle, responses_of_lfm2_split_into_reasoning_and_calls)
{
    struct oracle o = {0};
    need_cases();
    each_row(&o, check_lfm2);
}

Test(bfcl_oracle, recorded_calls_are_the_official_ones)
{
    struct oracle o = {0};
    need_cases();
    each_row(&o, check_recorded_calls);
}

Test(bfcl_oracle, verdicts_are_the_official_ones, .timeout = 120)
{
    struct oracle o = {0};
    struct lfm_error error;
    char directory[512];
    const char *data = getenv("LFMSCOPE_DATA");
    need_cases();
    snprintf(directory, sizeof directory, "%s/bfcl", data ? data : "datasets/cache");
    if (access(directory, R_OK) != 0) cr_skip_test("skipped: no %s", directory);
    assert_ok(lfm_bfcl_open(&o.data, directory, &error));
    each_row(&o, check_verdict);
    lfm_bfcl_close(&o.data);
}
