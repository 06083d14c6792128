/* Whether two models can be compared: see lfm_check_comparable in compare.h. */
#include "quant/compare.h"

#include "reference/model/tokenizer.h"

#include <stddef.h>
#include <string.h>

static enum lfm_status differ(const struct lfm_model *reference, const struct lfm_model *candidate, const char *what,
                              size_t expected, size_t found, struct lfm_error *error)
{
    return lfm_fail(error, LFM_ERROR_MISMATCH, "cannot compare '%s' with the reference '%s': %s is %zu, expected %zu",
                    candidate->checkpoint->name, reference->checkpoint->name, what, found, expected);
}

static enum lfm_status check_shapes(const struct lfm_model *reference, const struct lfm_model *candidate,
                                    struct lfm_error *error)
{
#define SIZE(field) {#field, offsetof(struct lfm_config, field)}
    static const struct {
        const char *name;
        size_t offset;
    } sizes[] = {
        SIZE(hidden_size), SIZE(num_hidden_layers), SIZE(num_attention_heads), SIZE(num_key_value_heads),
        SIZE(head_dim), SIZE(intermediate_size), SIZE(conv_l_cache), SIZE(num_dense_layers),
        SIZE(num_experts), SIZE(num_experts_per_tok), SIZE(moe_intermediate_size),
    };
#undef SIZE
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t expected, found;
        memcpy(&expected, (const char *)&reference->config + sizes[i].offset, sizeof expected);
        memcpy(&found, (const char *)&candidate->config + sizes[i].offset, sizeof found);
        if (expected != found) return differ(reference, candidate, sizes[i].name, expected, found, error);
    }
    for (size_t l = 0; l < reference->config.num_hidden_layers; l++)
        if (reference->config.layer_types[l] != candidate->config.layer_types[l])
            return lfm_fail(error, LFM_ERROR_MISMATCH, "cannot compare '%s' with the reference '%s': layer %zu is %s "
                            "layer in only one of them", candidate->checkpoint->name, reference->checkpoint->name, l,
                            reference->config.layer_types[l] == LFM_CONV ? "a conv" : "an attention");
    return LFM_OK;
}

static enum lfm_status check_tables(const struct lfm_model *reference, const struct lfm_tokenizer *expected,
                                    const struct lfm_model *candidate, const struct lfm_tokenizer *found,
                                    struct lfm_error *error)
{
    struct lfm_tokenizer_tables a, b;
    size_t n = lfm_vocabulary_size(expected), m = lfm_vocabulary_size(found);
    LFM_TRY(lfm_tokenizer_tables(expected, &a, error));
    LFM_TRY(lfm_tokenizer_tables(found, &b, error));
    for (size_t i = 0; i < n && i < m; i++)
        if (a.text_lengths[i] != b.text_lengths[i] || memcmp(a.texts[i], b.texts[i], a.text_lengths[i]) != 0)
            return lfm_fail(error, LFM_ERROR_MISMATCH, "cannot compare '%s' with the reference '%s': token %zu is "
                            "'%s', expected '%s'", candidate->checkpoint->name, reference->checkpoint->name, i,
                            b.texts[i], a.texts[i]);
    if (a.n_merges != b.n_merges)
        return differ(reference, candidate, "the tokenizer's number of merges", a.n_merges, b.n_merges, error);
    for (size_t i = 0; i < a.n_merges; i++)
        if (a.merge_lengths[i] != b.merge_lengths[i] || memcmp(a.merges[i], b.merges[i], a.merge_lengths[i]) != 0)
            return lfm_fail(error, LFM_ERROR_MISMATCH, "cannot compare '%s' with the reference '%s': merge %zu of the "
                            "tokenizer differs", candidate->checkpoint->name, reference->checkpoint->name, i);
    return LFM_OK;
}

static enum lfm_status check_tokenizers(const struct lfm_model *reference, const struct lfm_model *candidate,
                                        struct lfm_error *error)
{
    struct lfm_tokenizer *expected = NULL, *found = NULL;
    enum lfm_status status;
    LFM_TRY_DONE(lfm_tokenizer_open(&expected, reference->checkpoint, error));
    LFM_TRY_DONE(lfm_tokenizer_open(&found, candidate->checkpoint, error));
    status = check_tables(reference, expected, candidate, found, error);

done:
    lfm_tokenizer_free(expected);
    lfm_tokenizer_free(found);
    return status;
}

enum lfm_status lfm_check_comparable(const struct lfm_model *reference, const struct lfm_model *candidate,
                                     struct lfm_error *error)
{
    size_t expected = reference->config.vocab_size, found = candidate->config.vocab_size;
    if (expected != found) return differ(reference, candidate, "vocab_size", expected, found, error);
    if (reference->config.architecture == candidate->config.architecture)
        LFM_TRY(check_shapes(reference, candidate, error));
    return check_tokenizers(reference, candidate, error);
}
