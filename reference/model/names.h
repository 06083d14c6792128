/* What the tensors of a model are called in Hugging Face checkpoints and in GGUF files: one table by role, for the
 * loader and for the writers. Sources: the model classes of Transformers, llama.cpp's GGUF tensor names. */
#ifndef LFM_MODEL_NAMES_H
#define LFM_MODEL_NAMES_H

#include "reference/checkpoint/checkpoint.h"
#include "reference/model/config.h"

#include <stdbool.h>
#include <stddef.h>

/* Shapes are those of Hugging Face, letters as in config.h. */
enum lfm_tensor_role {
    LFM_TENSOR_EMBED_TOKENS,    /* [V,D] */
    LFM_TENSOR_EMBEDDING_NORM,  /* [D] the final norm */
    LFM_TENSOR_LM_HEAD,         /* [V,D] absent when tied */
    LFM_TENSOR_OPERATOR_NORM,   /* [D] */
    LFM_TENSOR_FFN_NORM,        /* [D] */
    LFM_TENSOR_CONV_IN_PROJ,    /* [3D,D] */
    LFM_TENSOR_CONV,            /* [D,1,L]; GGUF: [D,L] */
    LFM_TENSOR_CONV_OUT_PROJ,   /* [D,D] */
    LFM_TENSOR_Q_PROJ,          /* [H*A,D]; GGUF, llama: rows of each head reordered for the rotation of neighbours */
    LFM_TENSOR_K_PROJ,          /* [G*A,D]; likewise */
    LFM_TENSOR_V_PROJ,          /* [G*A,D] */
    LFM_TENSOR_OUT_PROJ,        /* [D,H*A] */
    LFM_TENSOR_Q_LAYERNORM,     /* [A] not in llama */
    LFM_TENSOR_K_LAYERNORM,     /* [A] not in llama */
    LFM_TENSOR_W1,              /* [F,D] dense layers: gate */
    LFM_TENSOR_W3,              /* [F,D] dense layers: up */
    LFM_TENSOR_W2,              /* [D,F] dense layers: down */
    LFM_TENSOR_ROUTER,          /* [E,D] */
    LFM_TENSOR_EXPERT_BIAS,     /* [E] */
    LFM_TENSOR_EXPERT_W1,       /* [M,D] of one expert; GGUF: [E,M,D] of all */
    LFM_TENSOR_EXPERT_W3,       /* [M,D]; GGUF: [E,M,D] */
    LFM_TENSOR_EXPERT_W2,       /* [D,M]; GGUF: [E,D,M] */
    LFM_TENSOR_EXPERTS_W1_W3,   /* [E,2M,D] w1 above w3: how some Hugging Face writers fuse the experts; not in GGUF */
    LFM_TENSOR_EXPERTS_W2,      /* [E,D,M] likewise */
    LFM_TENSOR_ROLE_COUNT
};

/* The name as a printf pattern that takes a layer (size_t) and then an expert (size_t) as far as it names them:
 * "model.layers.%zu.feed_forward.experts.%zu.w1.weight". Surplus arguments are ignored by printf, so
 * lfm_checkpoint_find(checkpoint, pattern, layer, expert) always works. NULL when the container or the architecture
 * has no such tensor. */
const char *lfm_tensor_name_pattern(enum lfm_container container, enum lfm_architecture architecture,
                                    enum lfm_tensor_role role);

/* Which role, layer and expert a tensor of that name has; false when the name is not in the table. `layer` and
 * `expert` are 0 where the name has none. */
bool lfm_tensor_role_of(enum lfm_container container, enum lfm_architecture architecture, const char *name,
                        enum lfm_tensor_role *role, size_t *layer, size_t *expert);

#endif
