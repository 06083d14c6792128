/* How the inputs of matrix products are represented. */
#ifndef LFM_MODEL_ACTIVATIONS_H
#define LFM_MODEL_ACTIVATIONS_H

#include <stdbool.h>

enum lfm_activations {
    LFM_ACTIVATIONS_F32, /* as they are: what a quantized model loses is due to its weights alone */
    LFM_ACTIVATIONS_Q8,  /* as q8_0 would store them: blocks of 32 signed bytes with one half-precision scale, as
                          * llama.cpp's CPU kernels compute */
    LFM_ACTIVATIONS_FP8, /* E4M3 with one FP32 scale per token, max|x| / 448 */
    LFM_N_ACTIVATIONS
};

/* "f32", "q8", "fp8"; and back: false when there is none of that name. */
const char *lfm_activations_name(enum lfm_activations activations);
bool lfm_activations_by_name(const char *name, enum lfm_activations *activations);

#endif
