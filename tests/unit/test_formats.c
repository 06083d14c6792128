/* Number formats against what other implementations made of the same numbers (scripts/golden/formats.py). */
#include "reference/base/file.h"
#include "reference/base/memory.h"
#include "reference/checkpoint/format.h"
#include "tests/unit/assert.h"

#include <stdint.h>
#include <stdlib.h>

#define GOLDEN "tests/golden/formats/"

/* The file's bytes in memory aligned for any type; the caller frees. */
static void *read_golden(const char *name, size_t *bytes)
{
    struct lfm_error error;
    struct lfm_buffer buffer = {0};
    char path[256];
    snprintf(path, sizeof path, GOLDEN "%s", name);
    assert_ok(lfm_read_file(&buffer, path, &error));
    cr_assert(buffer.length > 0, "%s is empty", path);
    void *copy;
    assert_ok(lfm_alloc(&copy, buffer.length, 1, &error));
    memcpy(copy, buffer.data, buffer.length);
    *bytes = buffer.length;
    lfm_buffer_release(&buffer);
    return copy;
}

static const struct lfm_format *format_of(const char *name)
{
    const struct lfm_format *format = lfm_format_by_name(name);
    cr_assert(format != NULL, "no format is called %s", name);
    return format;
}

static void expect_encoding(const char *name, const char *inputs, const char *expected_codes)
{
    const struct lfm_format *format = format_of(name);
    size_t input_bytes, expected_bytes;
    float *x = read_golden(inputs, &input_bytes);
    uint8_t *expected = read_golden(expected_codes, &expected_bytes);
    size_t n = input_bytes / sizeof *x;
    cr_assert_eq(n / format->block_size * format->block_bytes, expected_bytes);
    uint8_t *found = calloc(1, expected_bytes + 1);
    format->encode_row(found + 1, x, n); /* unaligned, as inside a file */
    for (size_t i = 0; i < expected_bytes; i++)
        cr_assert(found[1 + i] == expected[i], "%s: byte %zu of block %zu (x = %a) is %02x, expected %02x", name,
                  i % format->block_bytes, i / format->block_bytes,
                  (double)x[i / format->block_bytes * format->block_size], found[1 + i], expected[i]);
    free(found);
    free(expected);
    free(x);
}

static void expect_decoding(const char *name, const char *codes, const char *expected_values)
{
    const struct lfm_format *format = format_of(name);
    size_t code_bytes, expected_bytes;
    uint8_t *blocks = read_golden(codes, &code_bytes);
    float *expected = read_golden(expected_values, &expected_bytes);
    size_t n = expected_bytes / sizeof *expected;
    cr_assert_eq(n / format->block_size * format->block_bytes, code_bytes);
    float *x = calloc(n, sizeof *x);
    format->decode_row(x, blocks, n);
    for (size_t i = 0; i < n; i++)
        cr_assert(memcmp(&x[i], &expected[i], sizeof *x) == 0 || (isnan(x[i]) && isnan(expected[i])),
                  "%s: element %zu is %a, expected %a", name, i, (double)x[i], (double)expected[i]);
    free(x);
    free(expected);
    free(blocks);
}

Test(formats, names_types_and_dtypes_find_their_row)
{
    for (const struct lfm_format *format = lfm_formats; format->name; format++) {
        cr_assert_eq(lfm_format_by_name(format->name), format);
        if (format->gguf_type >= 0) cr_assert_eq(lfm_format_by_gguf_type((uint32_t)format->gguf_type), format);
        if (format->safetensors_dtype) cr_assert_eq(lfm_format_by_dtype(format->safetensors_dtype), format);
    }
    cr_assert_eq(lfm_format_by_name("Q8_0"), lfm_format_by_name("q8_0"));
    cr_assert_null(lfm_format_by_name("q9"));
    cr_assert_null(lfm_format_by_gguf_type(UINT32_MAX));
    cr_assert_null(lfm_format_by_dtype("I64"));
}

Test(formats, gguf_numbers_and_sizes_are_those_of_ggml)
{
    static const struct {
        const char *name;
        int type;
        size_t block, bytes;
    } expected[] = {{"f32", 0, 1, 4}, {"f16", 1, 1, 2}, {"bf16", 30, 1, 2}, {"q8_0", 8, 32, 34}, {"q4_0", 2, 32, 18},
                    {"q4_1", 3, 32, 20}, {"q5_0", 6, 32, 22}, {"q5_1", 7, 32, 24}, {"q4_k", 12, 256, 144},
                    {"q5_k", 13, 256, 176}, {"q6_k", 14, 256, 210}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct lfm_format *format = format_of(expected[i].name);
        cr_assert_eq(format->gguf_type, expected[i].type, "%s", format->name);
        cr_assert_eq(format->block_size, expected[i].block, "%s", format->name);
        cr_assert_eq(format->block_bytes, expected[i].bytes, "%s", format->name);
    }
    assert_near(lfm_format_bits(format_of("q8_0")), 8.5, 0);
    assert_near(lfm_format_bits(format_of("q4_0")), 4.5, 0);
}

Test(formats, row_bytes_refuses_broken_blocks_and_overflow)
{
    struct lfm_error error;
    size_t bytes = 0;
    assert_ok(lfm_format_row_bytes(format_of("q8_0"), 64, &bytes, &error));
    cr_assert_eq(bytes, 68);
    assert_fails(lfm_format_row_bytes(format_of("q8_0"), 48, &bytes, &error), LFM_ERROR_FORMAT, "48 elements");
    assert_fails(lfm_format_row_bytes(format_of("f32"), SIZE_MAX / 2, &bytes, &error), LFM_ERROR_FORMAT, "larger");
}

Test(formats, lists_of_names_hold_every_format)
{
    for (const struct lfm_format *format = lfm_formats; format->name; format++) {
        cr_assert_not_null(strstr(lfm_format_names(), format->name));
        if (format->encode_row) cr_assert_not_null(strstr(lfm_format_encodable_names(), format->name));
    }
}

Test(f32, keeps_every_bit)
{
    const uint32_t bits[] = {0, 0x80000000u, 1, 0x7f800000u, 0x7f800001u, 0xffc12345u, 0x3f800000u};
    enum { N = sizeof bits / sizeof bits[0] };
    float x[N];
    uint32_t stored[N];
    memcpy(x, bits, sizeof x);
    format_of("f32")->encode_row(stored, x, N);
    cr_assert_arr_eq(stored, bits, sizeof bits);
    format_of("f32")->decode_row(x, stored, N);
    cr_assert_arr_eq(x, bits, sizeof bits);
}

static void expect_all_16_bit_codes_to_survive(const char *name)
{
    enum { N = 65536 };
    uint16_t *codes = malloc(N * sizeof *codes), *again = malloc(N * sizeof *again);
    float *x = malloc(N * sizeof *x);
    for (size_t i = 0; i < N; i++) codes[i] = (uint16_t)i;
    format_of(name)->decode_row(x, codes, N);
    format_of(name)->encode_row(again, x, N);
    for (size_t i = 0; i < N; i++) cr_assert(again[i] == codes[i], "%s: %04zx came back as %04x", name, i, again[i]);
    free(x);
    free(again);
    free(codes);
}

Test(f16, all_codes_survive_decoding_and_encoding) { expect_all_16_bit_codes_to_survive("f16"); }
Test(bf16, all_codes_survive_decoding_and_encoding) { expect_all_16_bit_codes_to_survive("bf16"); }

/* The value of a half by its definition, in double. */
static double half_value(uint32_t code)
{
    int exponent = (int)(code >> 10 & 31);
    double fraction = code & 1023;
    double magnitude = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
    return code & 0x8000 ? -magnitude : magnitude;
}

Test(f16, all_finite_codes_have_the_value_of_the_definition)
{
    for (uint32_t code = 0; code < 65536; code++) {
        if ((code & 0x7c00) == 0x7c00) continue;
        uint16_t half = (uint16_t)code;
        float x;
        format_of("f16")->decode_row(&x, &half, 1);
        cr_assert((double)x == half_value(code) && (signbit(x) != 0) == (code >> 15 != 0), "%04x decodes to %a", code,
                  (double)x);
    }
}

Test(f16, halfway_values_go_to_the_even_code)
{
    for (uint32_t code = 0; code < 0x7bff; code++) {
        float tie = (float)((half_value(code) + half_value(code + 1)) / 2);
        uint16_t found;
        format_of("f16")->encode_row(&found, &tie, 1);
        cr_assert(found == (code + 1) / 2 * 2, "%a encodes to %04x, expected %04x", (double)tie, found,
                  (code + 1) / 2 * 2);
    }
}

Test(f16, encodes_as_numpy_does) { expect_encoding("f16", "floats.f32", "floats.f16"); }
Test(bf16, encodes_as_ml_dtypes_does) { expect_encoding("bf16", "floats.f32", "floats.bf16"); }

static uint32_t encode_bits(const char *name, uint32_t bits)
{
    float x;
    uint32_t code = 0;
    memcpy(&x, &bits, sizeof x);
    format_of(name)->encode_row(&code, &x, 1);
    return code;
}

Test(f16, infinities_and_nan_stay_what_they_are)
{
    cr_assert_eq(encode_bits("f16", 0x7f800000u), 0x7c00u);
    cr_assert_eq(encode_bits("f16", 0xff800000u), 0xfc00u);
    cr_assert_eq(encode_bits("f16", 0x7f800001u), 0x7e00u, "a payload that does not fit must not become infinity");
    cr_assert_eq(encode_bits("f16", 0xffc00000u), 0xfe00u);
}

Test(bf16, infinities_and_nan_stay_what_they_are)
{
    cr_assert_eq(encode_bits("bf16", 0x7f800000u), 0x7f80u);
    cr_assert_eq(encode_bits("bf16", 0x7f800001u), 0x7fc0u, "a payload that does not fit must not become infinity");
    cr_assert_eq(encode_bits("bf16", 0x7f7fffffu), 0x7f80u, "the largest float rounds up");
    cr_assert_eq(encode_bits("bf16", 0xffffffffu), 0xffffu);
}

Test(fp8_e4m3, decodes_all_codes_as_ml_dtypes_does)
{
    uint8_t codes[256];
    for (size_t i = 0; i < 256; i++) codes[i] = (uint8_t)i;
    size_t bytes;
    float x[256], *expected = read_golden("fp8_e4m3.values.f32", &bytes);
    format_of("fp8_e4m3")->decode_row(x, codes, 256);
    for (size_t i = 0; i < 256; i++)
        cr_assert(isnan(expected[i]) ? isnan(x[i]) : memcmp(&x[i], &expected[i], 4) == 0, "%02zx is %a, expected %a", i,
                  (double)x[i], (double)expected[i]);
    free(expected);
}

Test(fp8_e5m2, decodes_all_codes_as_ml_dtypes_does)
{
    uint8_t codes[256];
    for (size_t i = 0; i < 256; i++) codes[i] = (uint8_t)i;
    size_t bytes;
    float x[256], *expected = read_golden("fp8_e5m2.values.f32", &bytes);
    format_of("fp8_e5m2")->decode_row(x, codes, 256);
    for (size_t i = 0; i < 256; i++)
        cr_assert(isnan(expected[i]) ? isnan(x[i]) : memcmp(&x[i], &expected[i], 4) == 0, "%02zx is %a, expected %a", i,
                  (double)x[i], (double)expected[i]);
    free(expected);
}

Test(fp8_e4m3, encodes_as_ml_dtypes_does) { expect_encoding("fp8_e4m3", "floats.f32", "floats.fp8_e4m3"); }
Test(fp8_e5m2, encodes_as_ml_dtypes_does) { expect_encoding("fp8_e5m2", "floats.f32", "floats.fp8_e5m2"); }

static void expect_all_8_bit_codes_to_survive(const char *name)
{
    uint8_t codes[256], again[256];
    float x[256];
    for (size_t i = 0; i < 256; i++) codes[i] = (uint8_t)i;
    format_of(name)->decode_row(x, codes, 256);
    format_of(name)->encode_row(again, x, 256);
    for (size_t i = 0; i < 256; i++) cr_assert(again[i] == i, "%s: %02zx came back as %02x", name, i, again[i]);
}

Test(fp8_e4m3, all_codes_survive_decoding_and_encoding) { expect_all_8_bit_codes_to_survive("fp8_e4m3"); }
Test(fp8_e5m2, all_codes_survive_decoding_and_encoding) { expect_all_8_bit_codes_to_survive("fp8_e5m2"); }

Test(fp8_e4m3, saturates_and_has_no_infinity)
{
    cr_assert_eq(encode_bits("fp8_e4m3", 0x7f800000u), 0x7eu);
    cr_assert_eq(encode_bits("fp8_e4m3", 0xff7fffffu), 0xfeu);
    cr_assert_eq(encode_bits("fp8_e4m3", 0x7f800001u), 0x7fu);
    cr_assert_eq(encode_bits("fp8_e4m3", 0xffc00000u), 0xffu);
}

Test(fp8_e5m2, saturates_finite_values_and_keeps_infinities)
{
    cr_assert_eq(encode_bits("fp8_e5m2", 0x7f7fffffu), 0x7bu);
    cr_assert_eq(encode_bits("fp8_e5m2", 0x7f800000u), 0x7cu);
    cr_assert_eq(encode_bits("fp8_e5m2", 0x7f800001u), 0x7eu);
}

Test(q8_0, bytes_are_those_of_ggml) { expect_encoding("q8_0", "blocks.f32", "blocks.q8_0"); }
Test(q8_0, decodes_as_ggml_does) { expect_decoding("q8_0", "blocks.q8_0", "blocks.q8_0.f32"); }
Test(q4_0, bytes_are_those_of_ggml) { expect_encoding("q4_0", "blocks.f32", "blocks.q4_0"); }
Test(q4_0, decodes_as_ggml_does) { expect_decoding("q4_0", "blocks.q4_0", "blocks.q4_0.f32"); }

Test(q4_1, bytes_are_those_of_ggml) { expect_encoding("q4_1", "blocks.f32", "blocks.q4_1"); }
Test(q4_1, decodes_as_ggml_does) { expect_decoding("q4_1", "blocks.q4_1", "blocks.q4_1.f32"); }
Test(q5_0, decodes_as_ggml_does) { expect_decoding("q5_0", "random.q5_0", "random.q5_0.f32"); }
Test(q5_1, decodes_as_ggml_does) { expect_decoding("q5_1", "random.q5_1", "random.q5_1.f32"); }
Test(q4_k, decodes_as_ggml_does) { expect_decoding("q4_k", "random.q4_k", "random.q4_k.f32"); }
Test(q5_k, decodes_as_ggml_does) { expect_decoding("q5_k", "random.q5_k", "random.q5_k.f32"); }
Test(q6_k, decodes_as_ggml_does) { expect_decoding("q6_k", "random.q6_k", "random.q6_k.f32"); }

Test(q8_0, zero_block_decodes_to_zero)
{
    float x[32] = {0};
    uint8_t block[34];
    format_of("q8_0")->encode_row(block, x, 32);
    for (size_t i = 0; i < sizeof block; i++) cr_assert_eq(block[i], 0);
    format_of("q8_0")->decode_row(x, block, 32);
    for (size_t i = 0; i < 32; i++) cr_assert(x[i] == 0);
}

Test(q4_0, low_halves_of_the_bytes_come_first)
{
    uint8_t block[18] = {0x00, 0x3c, 0x1f}; /* d = 1; byte 0: element 0 is 15, element 16 is 1 */
    float x[32];
    format_of("q4_0")->decode_row(x, block, 32);
    assert_near(x[0], 7, 0);
    assert_near(x[16], -7, 0);
    assert_near(x[1], -8, 0);
}

/* Every code of a block format with d = 1 comes back, the value of largest magnitude fixing d. */
Test(q8_0, all_codes_survive_decoding_and_encoding)
{
    const struct lfm_format *format = format_of("q8_0");
    for (int base = -127; base <= 127; base += 31) {
        uint8_t block[34] = {0x00, 0x3c}, again[34];
        float x[32];
        for (int i = 0; i < 31; i++) block[2 + i] = (uint8_t)(int8_t)(base + i > 127 ? 127 : base + i);
        block[33] = 127;
        format->decode_row(x, block, 32);
        format->encode_row(again, x, 32);
        cr_assert_arr_eq(again, block, 34);
    }
}

Test(q4_0, all_codes_survive_decoding_and_encoding)
{
    const struct lfm_format *format = format_of("q4_0");
    uint8_t block[18] = {0x00, 0x3c}, again[18];
    float x[32];
    for (int i = 0; i < 16; i++) block[2 + i] = (uint8_t)(i | (15 - i) << 4);
    format->decode_row(x, block, 32);
    format->encode_row(again, x, 32);
    cr_assert_arr_eq(again, block, 18);
}
