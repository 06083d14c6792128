/* Tensor names of both containers. */
#include "reference/model/names.h"
#include "tests/unit/assert.h"

#include <stdio.h>

static const enum lfm_container containers[] = {LFM_HUGGING_FACE, LFM_GGUF};
static const enum lfm_architecture architectures[] = {LFM_ARCH_LFM2, LFM_ARCH_LFM2_MOE, LFM_ARCH_LLAMA};

Test(names, every_name_leads_back_to_its_role_layer_and_expert)
{
    for (size_t c = 0; c < 2; c++)
        for (size_t a = 0; a < 3; a++)
            for (int i = 0; i < LFM_TENSOR_ROLE_COUNT; i++) {
                const char *pattern = lfm_tensor_name_pattern(containers[c], architectures[a], (enum lfm_tensor_role)i);
                if (!pattern) continue;
                char name[128];
                snprintf(name, sizeof name, pattern, (size_t)12, (size_t)31);
                enum lfm_tensor_role role = LFM_TENSOR_ROLE_COUNT;
                size_t layer = 99, expert = 99;
                cr_assert(lfm_tensor_role_of(containers[c], architectures[a], name, &role, &layer, &expert), "%s",
                          name);
                cr_assert_eq((int)role, i, "%s", name);
                bool has_layer = strstr(pattern, "%zu") != NULL, has_expert = strstr(pattern, "experts.%zu") != NULL;
                cr_assert_eq(layer, has_layer ? 12 : 0, "%s", name);
                cr_assert_eq(expert, has_expert ? 31 : 0, "%s", name);
            }
}

Test(names, architectures_lack_what_they_do_not_have)
{
    cr_assert_null(lfm_tensor_name_pattern(LFM_HUGGING_FACE, LFM_ARCH_LFM2, LFM_TENSOR_ROUTER));
    cr_assert_null(lfm_tensor_name_pattern(LFM_GGUF, LFM_ARCH_LFM2, LFM_TENSOR_EXPERT_W1));
    cr_assert_null(lfm_tensor_name_pattern(LFM_HUGGING_FACE, LFM_ARCH_LLAMA, LFM_TENSOR_CONV));
    cr_assert_null(lfm_tensor_name_pattern(LFM_GGUF, LFM_ARCH_LFM2_MOE, LFM_TENSOR_EXPERTS_W1_W3));
    cr_assert_not_null(lfm_tensor_name_pattern(LFM_GGUF, LFM_ARCH_LFM2_MOE, LFM_TENSOR_W1));
}

Test(names, strangers_are_not_recognised)
{
    static const char *const strangers[] = {"", "model.layers.0", "model.layers.x.ffn_norm.weight",
                                            "model.layers.00.ffn_norm.weight", "model.layers.0.ffn_norm.weight.x",
                                            "model.layers.12345678901.ffn_norm.weight", "blk.0.ffn_norm.weight"};
    enum lfm_tensor_role role;
    size_t layer, expert;
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
        cr_assert_not(lfm_tensor_role_of(LFM_HUGGING_FACE, LFM_ARCH_LFM2_MOE, strangers[i], &role, &layer, &expert),
                      "'%s'", strangers[i]);
}
