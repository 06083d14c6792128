/* Tensor names: see names.h. */
#include "reference/model/names.h"

#include <stdlib.h>
#include <string.h>

/* Columns: Hugging Face lfm2 and lfm2_moe; Hugging Face llama; GGUF lfm2 and lfm2moe; GGUF llama. */
#define HF(suffix) "model.layers.%zu." suffix
#define BLK(suffix) "blk.%zu." suffix
static const struct {
    const char *hf, *hf_llama, *gguf, *gguf_llama;
} names[LFM_TENSOR_ROLE_COUNT] = {
    [LFM_TENSOR_EMBED_TOKENS] = {"model.embed_tokens.weight", "model.embed_tokens.weight", "token_embd.weight",
                                 "token_embd.weight"},
    [LFM_TENSOR_EMBEDDING_NORM] = {"model.embedding_norm.weight", "model.norm.weight", "token_embd_norm.weight",
                                   "output_norm.weight"},
    [LFM_TENSOR_LM_HEAD] = {"lm_head.weight", "lm_head.weight", "output.weight", "output.weight"},
    [LFM_TENSOR_OPERATOR_NORM] = {HF("operator_norm.weight"), HF("input_layernorm.weight"), BLK("attn_norm.weight"),
                                  BLK("attn_norm.weight")},
    [LFM_TENSOR_FFN_NORM] = {HF("ffn_norm.weight"), HF("post_attention_layernorm.weight"), BLK("ffn_norm.weight"),
                             BLK("ffn_norm.weight")},
    [LFM_TENSOR_CONV_IN_PROJ] = {HF("conv.in_proj.weight"), NULL, BLK("shortconv.in_proj.weight"), NULL},
    [LFM_TENSOR_CONV] = {HF("conv.conv.weight"), NULL, BLK("shortconv.conv.weight"), NULL},
    [LFM_TENSOR_CONV_OUT_PROJ] = {HF("conv.out_proj.weight"), NULL, BLK("shortconv.out_proj.weight"), NULL},
    [LFM_TENSOR_Q_PROJ] = {HF("self_attn.q_proj.weight"), HF("self_attn.q_proj.weight"), BLK("attn_q.weight"),
                           BLK("attn_q.weight")},
    [LFM_TENSOR_K_PROJ] = {HF("self_attn.k_proj.weight"), HF("self_attn.k_proj.weight"), BLK("attn_k.weight"),
                           BLK("attn_k.weight")},
    [LFM_TENSOR_V_PROJ] = {HF("self_attn.v_proj.weight"), HF("self_attn.v_proj.weight"), BLK("attn_v.weight"),
                           BLK("attn_v.weight")},
    [LFM_TENSOR_OUT_PROJ] = {HF("self_attn.out_proj.weight"), HF("self_attn.o_proj.weight"), BLK("attn_output.weight"),
                             BLK("attn_output.weight")},
    [LFM_TENSOR_Q_LAYERNORM] = {HF("self_attn.q_layernorm.weight"), NULL, BLK("attn_q_norm.weight"), NULL},
    [LFM_TENSOR_K_LAYERNORM] = {HF("self_attn.k_layernorm.weight"), NULL, BLK("attn_k_norm.weight"), NULL},
    [LFM_TENSOR_W1] = {HF("feed_forward.w1.weight"), HF("mlp.gate_proj.weight"), BLK("ffn_gate.weight"),
                       BLK("ffn_gate.weight")},
    [LFM_TENSOR_W3] = {HF("feed_forward.w3.weight"), HF("mlp.up_proj.weight"), BLK("ffn_up.weight"),
                       BLK("ffn_up.weight")},
    [LFM_TENSOR_W2] = {HF("feed_forward.w2.weight"), HF("mlp.down_proj.weight"), BLK("ffn_down.weight"),
                       BLK("ffn_down.weight")},
    [LFM_TENSOR_ROUTER] = {HF("feed_forward.gate.weight"), NULL, BLK("ffn_gate_inp.weight"), NULL},
    [LFM_TENSOR_EXPERT_BIAS] = {HF("feed_forward.expert_bias"), NULL, BLK("exp_probs_b.bias"), NULL},
    [LFM_TENSOR_EXPERT_W1] = {HF("feed_forward.experts.%zu.w1.weight"), NULL, BLK("ffn_gate_exps.weight"), NULL},
    [LFM_TENSOR_EXPERT_W3] = {HF("feed_forward.experts.%zu.w3.weight"), NULL, BLK("ffn_up_exps.weight"), NULL},
    [LFM_TENSOR_EXPERT_W2] = {HF("feed_forward.experts.%zu.w2.weight"), NULL, BLK("ffn_down_exps.weight"), NULL},
    [LFM_TENSOR_EXPERTS_W1_W3] = {HF("feed_forward.experts.gate_up_proj"), NULL, NULL, NULL},
    [LFM_TENSOR_EXPERTS_W2] = {HF("feed_forward.experts.down_proj"), NULL, NULL, NULL},
};

static bool only_moe(enum lfm_tensor_role role)
{
    return role >= LFM_TENSOR_ROUTER && role <= LFM_TENSOR_EXPERTS_W2;
}

const char *lfm_tensor_name_pattern(enum lfm_container container, enum lfm_architecture architecture,
                                    enum lfm_tensor_role role)
{
    if (only_moe(role) && architecture != LFM_ARCH_LFM2_MOE) return NULL;
    bool llama = architecture == LFM_ARCH_LLAMA;
    if (container == LFM_GGUF) return llama ? names[role].gguf_llama : names[role].gguf;
    return llama ? names[role].hf_llama : names[role].hf;
}

/* Matches `name` against a pattern whose only conversions are %zu; numbers are plain digits. */
static bool match(const char *pattern, const char *name, size_t numbers[2])
{
    size_t found = 0;
    while (*pattern) {
        if (strncmp(pattern, "%zu", 3) == 0) {
            size_t digits = strspn(name, "0123456789");
            if (digits == 0 || digits > 9 || (digits > 1 && name[0] == '0') || found == 2) return false;
            numbers[found++] = (size_t)strtoull(name, NULL, 10);
            name += digits;
            pattern += 3;
        } else if (*pattern++ != *name++) {
            return false;
        }
    }
    return *name == '\0';
}

bool lfm_tensor_role_of(enum lfm_container container, enum lfm_architecture architecture, const char *name,
                        enum lfm_tensor_role *role, size_t *layer, size_t *expert)
{
    for (int i = 0; i < LFM_TENSOR_ROLE_COUNT; i++) {
        const char *pattern = lfm_tensor_name_pattern(container, architecture, (enum lfm_tensor_role)i);
        size_t numbers[2] = {0, 0};
        if (!pattern || !match(pattern, name, numbers)) continue;
        *role = (enum lfm_tensor_role)i;
        *layer = numbers[0];
        *expert = numbers[1];
        return true;
    }
    return false;
}
