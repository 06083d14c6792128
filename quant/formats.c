/* The table of number formats: see reference/checkpoint/format.h. */
#include "quant/formats/rows.h"
#include "reference/checkpoint/format.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the files of all formats are little-endian, and so is every machine lfmscope runs on"
#endif

/* name, block, bytes, GGUF type, safetensors dtype, scaled_max, encoder (NULL: only read), decoder; group, zero, minima, unpack */
const struct lfm_format lfm_formats[] = {
    {"f32", 1, 4, 0, "F32", 0, lfm_f32_encode, lfm_f32_decode, 0, 0, false, NULL},
    {"f16", 1, 2, 1, "F16", 0, lfm_f16_encode, lfm_f16_decode, 0, 0, false, NULL},
    {"bf16", 1, 2, 30, "BF16", 0, lfm_bf16_encode, lfm_bf16_decode, 0, 0, false, NULL},
    {"q8_0", 32, 34, 8, NULL, 0, lfm_q8_0_encode, lfm_q8_0_decode, 32, 128, false, lfm_q8_0_unpack},
    {"q4_0", 32, 18, 2, NULL, 0, lfm_q4_0_encode, lfm_q4_0_decode, 32, 8, false, lfm_q4_0_unpack},
    {"q4_1", 32, 20, 3, NULL, 0, lfm_q4_1_encode, lfm_q4_1_decode, 32, 0, true, lfm_q4_1_unpack},
    {"q5_0", 32, 22, 6, NULL, 0, NULL, lfm_q5_0_decode, 32, 16, false, lfm_q5_0_unpack},
    {"q5_1", 32, 24, 7, NULL, 0, NULL, lfm_q5_1_decode, 32, 0, true, lfm_q5_1_unpack},
    {"q4_k", 256, 144, 12, NULL, 0, NULL, lfm_q4_k_decode, 32, 0, true, lfm_q4_k_unpack},
    {"q5_k", 256, 176, 13, NULL, 0, NULL, lfm_q5_k_decode, 32, 0, true, lfm_q5_k_unpack},
    {"q6_k", 256, 210, 14, NULL, 0, NULL, lfm_q6_k_decode, 16, 32, false, lfm_q6_k_unpack},
    {"fp8_e4m3", 1, 1, -1, "F8_E4M3", 448, lfm_fp8_e4m3_encode, lfm_fp8_e4m3_decode, 0, 0, false, NULL},
    {"fp8_e5m2", 1, 1, -1, "F8_E5M2", 57344, lfm_fp8_e5m2_encode, lfm_fp8_e5m2_decode, 0, 0, false, NULL},
    {0},
};
