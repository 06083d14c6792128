/* Checkpoints: opening, names, shapes, decoding, the digest, and the table of formats they rest on. */
#include "reference/checkpoint/checkpoint.h"

#include "reference/base/file.h"
#include "tests/unit/assert.h"
#include "tests/unit/checkpoint_files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct lfm_error error;
static struct lfm_checkpoint *checkpoint;

static void finish(void)
{
    lfm_checkpoint_close(checkpoint);
    remove_directory();
}

TestSuite(checkpoint, .init = make_directory, .fini = finish);

static enum lfm_status open_directory(void)
{
    return lfm_checkpoint_open(&checkpoint, in_directory(""), &error);
}

static void write_small_model(void)
{
    write_text("config.json", "{}");
    write_safetensors("model.safetensors", "{\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}", 24);
}

/* --- what is no model --- */

Test(checkpoint, absent_path_is_named)
{
    assert_fails(lfm_checkpoint_open(&checkpoint, in_directory("nothing"), &error), LFM_ERROR_IO, "nothing'");
    cr_assert_null(checkpoint);
}

Test(checkpoint, empty_directory_is_no_model)
{
    assert_fails(open_directory(), LFM_ERROR_IO, "the directory has no config.json");
    write_text("config.json", "{}");
    assert_fails(open_directory(), LFM_ERROR_IO, "neither model.safetensors nor model.safetensors.index.json");
}

Test(checkpoint, broken_config_is_refused)
{
    write_small_model();
    write_text("config.json", "{\"hidden_size\": }");
    assert_fails(open_directory(), LFM_ERROR_FORMAT, "config.json");
    write_text("config.json", "");
    assert_fails(open_directory(), LFM_ERROR_FORMAT, "config.json");
    write_text("config.json", "[]");
    assert_fails(open_directory(), LFM_ERROR_FORMAT, "config.json': expected a JSON object");
}

Test(checkpoint, empty_weights_are_refused)
{
    write_small_model();
    write_text("model.safetensors", "");
    assert_fails(open_directory(), LFM_ERROR_FORMAT, "model.safetensors': expected the length of a header");
    unlink(in_directory("model.safetensors"));
    cr_assert_eq(mkdir(in_directory("model.safetensors"), 0700), 0);
    assert_fails(open_directory(), LFM_ERROR_IO, "not a regular file");
}

/* --- names --- */

Test(checkpoint, model_is_named_after_the_last_part_of_its_path)
{
    char path[300];
    cr_assert_eq(mkdir(in_directory("lfm"), 0700), 0);
    write_text("lfm/config.json", "{}");
    write_safetensors("lfm/model.safetensors", "{}", 0);
    snprintf(path, sizeof path, "%s///", in_directory("lfm"));
    assert_ok(lfm_checkpoint_open(&checkpoint, path, &error));
    cr_assert_str_eq(checkpoint->name, "lfm");
    cr_assert_str_eq(checkpoint->path, path);
    lfm_checkpoint_close(checkpoint);
    snprintf(path, sizeof path, "%s/.", in_directory("lfm"));
    assert_ok(lfm_checkpoint_open(&checkpoint, path, &error));
    cr_assert_str_eq(checkpoint->name, "lfm");
}

Test(checkpoint, thousands_of_tensors_are_found_by_name)
{
    enum { N = 2302 };
    struct lfm_buffer header = {0};
    for (size_t i = 0; i < N; i++)
        assert_ok(lfm_buffer_printf(&header, &error,
                                    "%s\"layers.%zu.w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":"
                                    "[%zu,%zu]}", i ? "," : "{", i, 4 * i, 4 * i + 4));
    assert_ok(lfm_buffer_puts(&header, "}", &error));
    write_text("config.json", "{}");
    write_safetensors("model.safetensors", header.data, 4 * N);
    lfm_buffer_release(&header);
    assert_ok(open_directory());
    cr_assert_eq(checkpoint->n_tensors, (size_t)N);
    for (size_t i = 0; i < N; i++)
        cr_assert_eq(lfm_checkpoint_find(checkpoint, "layers.%zu.w", i), &checkpoint->tensors[i]);
    cr_assert_null(lfm_checkpoint_find(checkpoint, "layers.%d.w", N));
    cr_assert_null(lfm_checkpoint_find(checkpoint, "layers.%5000d.w", 1));
}

/* --- shapes and values --- */

Test(checkpoint, mismatched_shape_is_told_with_file_and_tensor)
{
    write_small_model();
    assert_ok(open_directory());
    const struct lfm_tensor *w = lfm_checkpoint_find(checkpoint, "w");
    assert_ok(lfm_tensor_expect_shape(w, 2, (size_t[]){2, 3}, &error));
    assert_fails(lfm_tensor_expect_shape(w, 2, (size_t[]){3, 2}, &error), LFM_ERROR_MISMATCH,
                 "model.safetensors': tensor 'w' is [2,3], expected [3,2]");
    assert_fails(lfm_tensor_expect_shape(w, 1, (size_t[]){6}, &error), LFM_ERROR_MISMATCH, "is [2,3], expected [6]");
    assert_fails(lfm_tensor_expect_shape(w, 1, (size_t[]){2}, &error), LFM_ERROR_MISMATCH, "is [2,3], expected [2]");
    assert_fails(lfm_tensor_expect_shape(w, 3, (size_t[]){2, 3, 1}, &error), LFM_ERROR_MISMATCH, "expected [2,3,1]");
}

Test(checkpoint, decoding_needs_room_for_exactly_the_elements)
{
    float values[7];
    write_small_model();
    assert_ok(open_directory());
    const struct lfm_tensor *w = lfm_checkpoint_find(checkpoint, "w");
    assert_ok(lfm_tensor_decode(w, values, 6, &error));
    assert_fails(lfm_tensor_decode(w, values, 7, &error), LFM_ERROR_MISMATCH, "tensor 'w' has 6 elements, expected 7");
}

/* --- the digest --- */

static void assert_digest(const char *expected_text, size_t length)
{
    char digest[LFM_SHA256_TEXT], expected[LFM_SHA256_TEXT];
    assert_ok(lfm_checkpoint_sha256(checkpoint, digest, NULL, &error));
    assert_ok(lfm_sha256(expected_text, length, expected, &error));
    cr_assert_str_eq(digest, expected);
}

Test(checkpoint, digest_covers_names_and_contents_in_the_order_of_names)
{
    static const char files[] = "config.json\0{}"
                                "model.safetensors\0\x2\0\0\0\0\0\0\0{}"
                                "tokenizer.json\0[]";
    write_text("config.json", "{}");
    write_safetensors("model.safetensors", "{}", 0);
    write_text("tokenizer.json", "[]");
    write_text("notes.txt", "not part of the model");
    assert_ok(open_directory());
    assert_digest(files, sizeof files - 1);
    unlink(in_directory("tokenizer.json"));
    assert_digest(files, sizeof files - sizeof "tokenizer.json\0[]");
}

Test(checkpoint, digest_of_a_gguf_file_covers_it_alone)
{
    struct lfm_buffer file = {0}, hashed = {0};
    put_gguf_header(&file, 3, 0, 0);
    write_buffer("m.gguf", &file);
    assert_ok(lfm_checkpoint_open(&checkpoint, in_directory("m.gguf"), &error));
    assert_ok(lfm_buffer_append(&hashed, "m.gguf", 7, &error));
    assert_ok(lfm_buffer_append(&hashed, file.data, file.length, &error));
    assert_digest(hashed.data, hashed.length);
    lfm_buffer_release(&hashed);
    lfm_buffer_release(&file);
}

/* --- formats --- */

Test(checkpoint, formats_are_found_by_name_type_and_dtype)
{
    const struct lfm_format *bf16 = lfm_format_by_name("BF16");
    cr_assert_not_null(bf16);
    cr_assert_str_eq(bf16->name, "bf16");
    cr_assert_eq(lfm_format_by_gguf_type(30), bf16);
    cr_assert_eq(lfm_format_by_dtype("BF16"), bf16);
    cr_assert_null(lfm_format_by_name("bf17"));
    cr_assert_null(lfm_format_by_gguf_type(UINT32_MAX));
    cr_assert_null(lfm_format_by_dtype("bf16"));
    cr_assert_not_null(strstr(lfm_format_names(), "f32, "));
    cr_assert_not_null(strstr(lfm_format_encodable_names(), "q8_0"));
}

Test(checkpoint, rows_are_whole_blocks)
{
    const struct lfm_format *q8_0 = lfm_format_by_name("q8_0");
    size_t bytes = 0;
    assert_ok(lfm_format_row_bytes(q8_0, 64, &bytes, &error));
    cr_assert_eq(bytes, 68u);
    assert_near(lfm_format_bits(q8_0), 8.5, 0);
    assert_fails(lfm_format_row_bytes(q8_0, 65, &bytes, &error), LFM_ERROR_FORMAT, "65");
    assert_fails(lfm_format_row_bytes(q8_0, SIZE_MAX - 31, &bytes, &error), LFM_ERROR_FORMAT, "larger than memory");
}
