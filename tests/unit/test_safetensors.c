/* safetensors: single files and sharded directories, what is refused and with which words, what the writer writes. */
#include "reference/checkpoint/safetensors.h"

#include "reference/base/file.h"
#include "reference/checkpoint/checkpoint.h"
#include "tests/unit/assert.h"
#include "tests/unit/checkpoint_files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct lfm_error error;
static struct lfm_checkpoint *checkpoint;

static void start(void)
{
    make_directory();
    write_text("config.json", "{\"model_type\": \"lfm2_moe\"}");
}

static void finish(void)
{
    lfm_checkpoint_close(checkpoint);
    remove_directory();
}

TestSuite(safetensors, .init = start, .fini = finish);

static enum lfm_status open_directory(void)
{
    return lfm_checkpoint_open(&checkpoint, in_directory(""), &error);
}

static enum lfm_status open_with(const char *header, size_t data_length)
{
    write_safetensors("model.safetensors", header, data_length);
    return open_directory();
}

static void assert_refused(const char *header, size_t data_length, const char *part)
{
    assert_fails(open_with(header, data_length), LFM_ERROR_FORMAT, part);
    cr_assert_null(checkpoint);
    cr_assert(strstr(error.message, "model.safetensors'") != NULL, "message '%s' names no file", error.message);
}

#define A_4 "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}"

/* --- reading --- */

Test(safetensors, tensor_is_a_view_with_its_shape)
{
    assert_ok(open_with("{\"__metadata__\":{\"format\":\"pt\"},"
                        "\"w\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[4,16]}," A_4 "}  ", 16));
    cr_assert_eq(checkpoint->container, LFM_HUGGING_FACE);
    cr_assert_eq(checkpoint->n_tensors, 2u);
    cr_assert_eq(checkpoint->bytes, 16u);
    cr_assert_null(checkpoint->gguf);
    cr_assert_not_null(cJSON_GetObjectItem(checkpoint->config, "model_type"));
    const struct lfm_tensor *w = lfm_checkpoint_find(checkpoint, "w");
    cr_assert_not_null(w);
    cr_assert_str_eq(w->format->name, "bf16");
    cr_assert_str_eq(w->type_name, "BF16");
    assert_ok(lfm_tensor_expect_shape(w, 2, (size_t[]){2, 3}, &error));
    cr_assert_eq(((const uint8_t *)w->data)[0], 4);
    float values[6], expected;
    uint32_t bits = 0x05040000;
    memcpy(&expected, &bits, sizeof expected);
    assert_ok(lfm_tensor_decode(w, values, 6, &error));
    assert_near(values[0], expected, 0);
}

Test(safetensors, types_that_are_not_read_are_listed_but_not_decoded)
{
    assert_ok(open_with("{\"i\":{\"dtype\":\"I64\",\"shape\":[2],\"data_offsets\":[0,16]},"
                        "\"b\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[16,19]},"
                        "\"n\":{\"dtype\":\"NEW\",\"shape\":[9],\"data_offsets\":[19,20]}}", 20));
    float values[9];
    const struct lfm_tensor *i = lfm_checkpoint_find(checkpoint, "i"), *n = lfm_checkpoint_find(checkpoint, "n");
    cr_assert_null(i->format);
    cr_assert_str_eq(i->type_name, "I64");
    cr_assert_str_eq(n->type_name, "NEW");
    assert_fails(lfm_tensor_decode(i, values, 2, &error), LFM_ERROR_FORMAT,
                 "tensor 'i' is stored as I64, expected one of f32");
}

Test(safetensors, scalars_and_empty_tensors_are_read)
{
    assert_ok(open_with("{\"scalar\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
                        "\"empty\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[4,4]}}", 4));
    const struct lfm_tensor *scalar = lfm_checkpoint_find(checkpoint, "scalar");
    float value;
    cr_assert_eq(lfm_tensor_elements(scalar), 1u);
    assert_ok(lfm_tensor_decode(scalar, &value, 1, &error));
    cr_assert_eq(lfm_tensor_elements(lfm_checkpoint_find(checkpoint, "empty")), 0u);
    assert_ok(lfm_tensor_decode(lfm_checkpoint_find(checkpoint, "empty"), &value, 0, &error));
}

Test(safetensors, file_without_tensors_is_read)
{
    assert_ok(open_with("{\"__metadata__\":{}}", 0));
    cr_assert_eq(checkpoint->n_tensors, 0u);
    cr_assert_null(lfm_checkpoint_find(checkpoint, "w"));
}

Test(safetensors, data_beyond_four_gigabytes_are_reached)
{
    const char *header = "{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296],\"data_offsets\":[0,4294967296]},"
                         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4294967296,4294967300]}}";
    const float expected = 7;
    float value;
    write_safetensors("model.safetensors", header, 0);
    FILE *file = fopen(in_directory("model.safetensors"), "ab");
    cr_assert_not_null(file);
    off_t end = (off_t)(8 + strlen(header)) + INT64_C(4294967296);
    cr_assert_eq(ftruncate(fileno(file), end), 0); /* a hole: no byte of it is stored */
    cr_assert_eq(fwrite(&expected, sizeof expected, 1, file), 1u);
    fclose(file);
    assert_ok(open_directory());
    assert_ok(lfm_tensor_decode(lfm_checkpoint_find(checkpoint, "b"), &value, 1, &error));
    assert_near(value, 7, 0);
}

/* Element i of a tensor of floats is i/4 - 1: scripts/golden/checkpoint.py. */
Test(safetensors, file_of_the_python_package_is_read)
{
    static const char *const read[] = {"float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"};
    static const char *const unread[] = {"float64", "int64", "int32", "int16", "int8", "uint8", "bool", "complex64"};
    float values[24];
    assert_ok(lfm_checkpoint_open(&checkpoint, "tests/golden/checkpoint/directory", &error));
    cr_assert_eq(checkpoint->n_tensors, 16u);
    for (size_t i = 0; i < sizeof read / sizeof read[0]; i++) {
        const struct lfm_tensor *tensor = lfm_checkpoint_find(checkpoint, "%s", read[i]);
        assert_ok(lfm_tensor_expect_shape(tensor, 2, (size_t[]){2, 3}, &error));
        assert_ok(lfm_tensor_decode(tensor, values, 6, &error));
        for (size_t k = 0; k < 6; k++) assert_near(values[k], (double)k / 4 - 1, 0);
    }
    for (size_t i = 0; i < sizeof unread / sizeof unread[0]; i++)
        cr_assert_null(lfm_checkpoint_find(checkpoint, "%s", unread[i])->format);
    assert_ok(lfm_tensor_expect_shape(lfm_checkpoint_find(checkpoint, "scalar"), 0, NULL, &error));
    const struct lfm_tensor *four = lfm_checkpoint_find(checkpoint, "four");
    assert_ok(lfm_tensor_expect_shape(four, 4, (size_t[]){1, 2, 3, 4}, &error));
    assert_ok(lfm_tensor_decode(four, values, 24, &error));
    assert_near(values[23], 4.75, 0);
}

/* --- bad headers --- */

Test(safetensors, every_truncation_of_a_file_is_refused)
{
    struct lfm_buffer whole = {0};
    assert_ok(open_with("{\"w\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[4,16]}," A_4 "}", 16));
    lfm_checkpoint_close(checkpoint);
    assert_ok(lfm_read_file(&whole, in_directory("model.safetensors"), &error));
    for (size_t length = 0; length < whole.length; length++) {
        write_bytes("model.safetensors", whole.data, length);
        assert_fails(open_directory(), LFM_ERROR_FORMAT, "model.safetensors'");
    }
    lfm_buffer_release(&whole);
}

Test(safetensors, huge_header_length_is_refused)
{
    struct lfm_buffer file = {0};
    put_integer(&file, UINT64_MAX, 8);
    put_zeros(&file, 64);
    write_buffer("model.safetensors", &file);
    assert_fails(open_directory(), LFM_ERROR_FORMAT,
                 "expected a header of at most 100000000 bytes, found 18446744073709551615");
    lfm_buffer_clear(&file);
    put_integer(&file, 65, 8);
    put_zeros(&file, 64);
    write_buffer("model.safetensors", &file);
    assert_fails(open_directory(), LFM_ERROR_FORMAT, "expected a header of 65 bytes, the file has 64 more");
    lfm_buffer_release(&file);
}

Test(safetensors, header_must_be_a_json_object)
{
    assert_refused("", 0, "begins with '{'");
    assert_refused("[1,2]", 0, "begins with '{'");
    assert_refused(" {}", 0, "begins with '{'");
    assert_refused("{\"a\":", 0, "not valid JSON");
    assert_refused("{} x", 0, "not valid JSON");
    assert_refused("{\"a\":7}", 0, "tensor 'a': expected a JSON object");
}

Test(safetensors, deep_nesting_is_refused)
{
    char header[8192] = "{\"a\":";
    memset(header + 5, '[', sizeof header - 6);
    assert_refused(header, 0, "not valid JSON");
}

Test(safetensors, zero_characters_cannot_hide_a_name)
{
    assert_refused("{\"a\\u0000b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "zero character");
    assert_ok(open_with("{\"a\\\\u0000b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4));
    cr_assert_not_null(lfm_checkpoint_find(checkpoint, "a\\u0000b"));
}

Test(safetensors, names_are_printable_and_not_empty)
{
    assert_refused("{\"\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
                   "expected tensor names of 1 to");
    assert_refused("{\"a\\nb\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "control character 0x0a");
    assert_refused("{\"a\":{\"dtype\":\"F\\n32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "control character 0x0a");
}

Test(safetensors, entries_need_dtype_shape_and_offsets)
{
    assert_refused("{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "tensor 'a': expected a string 'dtype'");
    assert_refused("{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "expected a string 'dtype'");
    assert_refused("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "tensor 'a': expected an array 'shape'");
    assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "tensor 'a': expected 'data_offsets' [begin, end]");
    assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "expected 'data_offsets'");
    assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "expected 'data_offsets'");
    assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,\"4\"]}}", 4,
                   "expected 'data_offsets'");
    assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":{\"x\":0,\"y\":4}}}", 4, "'data_offsets'");
}

Test(safetensors, shapes_are_whole_numbers_of_at_most_four_dimensions)
{
    assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "whole numbers in 'shape'");
    assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[0.5],\"data_offsets\":[0,4]}}", 4, "whole numbers in 'shape'");
    assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[[1]],\"data_offsets\":[0,4]}}", 4, "whole numbers in 'shape'");
    assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1e300],\"data_offsets\":[0,4]}}", 4,
                   "whole numbers in 'shape'");
    assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1],\"data_offsets\":[0,4]}}", 4,
                   "expected at most 4 dimensions, found 5");
    assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}}", 4,
                   "the shape [4294967296,4294967296] has more elements");
    assert_refused("{\"a\":{\"dtype\":\"I64\",\"shape\":[2147483648,4294967295],\"data_offsets\":[0,4]}}", 4,
                   "which is not");
}

Test(safetensors, size_must_fit_type_and_shape)
{
    assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8,
                   "tensor 'a': data_offsets [0, 8] span 8 bytes, which is not the size of F32 [3]");
    assert_refused("{\"a\":{\"dtype\":\"I32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "not the size of I32 [3]");
    assert_refused("{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}", 1, "not the size of F4 [3]");
    assert_refused("{\"a\":{\"dtype\":\"I64\",\"shape\":[67108864,4294967296],\"data_offsets\":[0,0]}}", 0,
                   "not the size of I64 [67108864,4294967296]"); /* 2^64 bits */
}

Test(safetensors, data_must_lie_in_the_file)
{
    assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 7,
                   "tensor 'a': data_offsets [0, 8] lie beyond the end, the file has 7 bytes");
    assert_refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[9007199254740988,9007199254740992]}}", 4,
                   "lie beyond the end");
}

Test(safetensors, data_are_covered_without_gap_or_overlap)
{
    assert_refused("{" A_4 ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]}}", 6,
                   "'a' and 'b' overlap");
    assert_refused("{" A_4 ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "overlap");
    assert_refused("{" A_4 ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}", 12,
                   "tensor 'b': expected its data to begin at 4, found 8");
    assert_refused("{" A_4 "}", 5, "expected 4 bytes of tensor data, found 5");
    assert_refused("{}", 1, "expected 0 bytes of tensor data, found 1");
}

Test(safetensors, names_given_twice_are_refused)
{
    assert_refused("{" A_4 ",\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8,
                   "tensor 'a' is there twice");
}

/* --- directories --- */

#define ONE_TENSOR(name) "{\"" name "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"
#define INDEX "model.safetensors.index.json"

static void write_shards(void)
{
    write_safetensors("model-00001-of-00002.safetensors", ONE_TENSOR("z"), 4);
    write_safetensors("model-00002-of-00002.safetensors", ONE_TENSOR("a"), 4);
    write_text(INDEX, "{\"metadata\":{\"total_size\":8},\"weight_map\":{\"a\":\"model-00002-of-00002.safetensors\","
                      "\"z\":\"model-00001-of-00002.safetensors\"}}");
}

Test(safetensors, shards_open_as_one_model)
{
    write_shards();
    assert_ok(open_directory());
    cr_assert_eq(checkpoint->n_tensors, 2u);
    cr_assert_str_eq(checkpoint->tensors[0].name, "z");
    cr_assert_not_null(strstr(lfm_checkpoint_find(checkpoint, "a")->file, "model-00002-of-00002.safetensors"));
}

Test(safetensors, missing_shard_is_named)
{
    write_shards();
    unlink(in_directory("model-00002-of-00002.safetensors"));
    assert_fails(open_directory(), LFM_ERROR_IO, "model-00002-of-00002.safetensors'");
}

Test(safetensors, index_and_shards_must_agree)
{
    write_shards();
    write_text(INDEX, "{\"weight_map\":{\"a\":\"model-00002-of-00002.safetensors\","
                      "\"b\":\"model-00002-of-00002.safetensors\"}}");
    assert_fails(open_directory(), LFM_ERROR_MISMATCH,
                 "tensor 'b' should be in 'model-00002-of-00002.safetensors', but no shard has it");
    write_text(INDEX, "{\"weight_map\":{\"a\":\"model-00001-of-00002.safetensors\","
                      "\"z\":\"model-00002-of-00002.safetensors\"}}");
    assert_fails(open_directory(), LFM_ERROR_MISMATCH,
                 "tensor 'a' should be in 'model-00001-of-00002.safetensors', found in");
    write_safetensors("model-00001-of-00002.safetensors", ONE_TENSOR("a"), 4);
    assert_fails(open_directory(), LFM_ERROR_FORMAT, "tensor 'a' is there twice");
}

Test(safetensors, shards_outside_the_directory_are_refused)
{
    const char *const names[] = {"../x.safetensors", "/etc/passwd", "sub/x.safetensors", "..", "x\\nx", ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char index[128];
        snprintf(index, sizeof index, "{\"weight_map\":{\"a\":\"%s\"}}", names[i]);
        write_text(INDEX, index);
        cr_assert_neq(open_directory(), LFM_OK, "'%s' was opened", names[i]);
        cr_assert_null(strchr(error.message, '\n'));
    }
    write_text(INDEX, "{\"weight_map\":{\"a\":\"\"}}");
    assert_fails(open_directory(), LFM_ERROR_FORMAT, "tensor 'a': expected the name of a file");
    write_text(INDEX, "{\"weight_map\":{\"a\":\"../x.safetensors\"}}");
    assert_fails(open_directory(), LFM_ERROR_FORMAT,
                 "tensor 'a': expected a file in the same directory, found '../x.safetensors'");
}

Test(safetensors, index_must_map_tensors_to_files)
{
    write_text(INDEX, "{\"weight_map\":");
    assert_fails(open_directory(), LFM_ERROR_FORMAT, "not valid JSON");
    write_text(INDEX, "{\"weights\":{}}");
    assert_fails(open_directory(), LFM_ERROR_FORMAT, INDEX "': expected an object 'weight_map'");
    write_text(INDEX, "{\"weight_map\":{}}");
    assert_fails(open_directory(), LFM_ERROR_FORMAT, "expected an object 'weight_map'");
    write_text(INDEX, "[]");
    assert_fails(open_directory(), LFM_ERROR_FORMAT, "expected an object 'weight_map'");
    write_text(INDEX, "{\"weight_map\":{\"a\":7}}");
    assert_fails(open_directory(), LFM_ERROR_FORMAT, "tensor 'a': expected the name of a file");
}

/* --- writing --- */

Test(safetensors, written_file_reads_back)
{
    const float values[3] = {1, -2, 0.5f};
    struct lfm_safetensors_writer *writer;
    assert_ok(lfm_safetensors_writer_open(&writer, in_directory("model.safetensors"), &error));
    assert_ok(lfm_safetensors_add_tensor(writer, "w", lfm_format_by_name("f32"), 2, (size_t[]){1, 2}, &error));
    assert_ok(lfm_safetensors_add_tensor(writer, "empty", lfm_format_by_name("f32"), 1, (size_t[]){0}, &error));
    assert_ok(lfm_safetensors_add_tensor(writer, "scalar", lfm_format_by_name("f32"), 0, NULL, &error));
    assert_ok(lfm_safetensors_begin(writer, &error));
    assert_ok(lfm_safetensors_write_data(writer, values, 5, &error));
    assert_ok(lfm_safetensors_write_data(writer, (const char *)values + 5, 7, &error));
    assert_ok(lfm_safetensors_commit(writer, &error));
    lfm_safetensors_writer_close(writer);

    assert_ok(open_directory());
    cr_assert_eq(checkpoint->n_tensors, 3u);
    float decoded[2];
    const struct lfm_tensor *w = lfm_checkpoint_find(checkpoint, "w");
    assert_ok(lfm_tensor_expect_shape(w, 2, (size_t[]){1, 2}, &error));
    assert_ok(lfm_tensor_decode(w, decoded, 2, &error));
    cr_assert_arr_eq(decoded, values, sizeof decoded);
    assert_ok(lfm_tensor_decode(lfm_checkpoint_find(checkpoint, "scalar"), decoded, 1, &error));
    assert_near(decoded[0], 0.5, 0);
}

Test(safetensors, header_is_padded_and_carries_the_metadata_transformers_asks_for)
{
    const char *const names[] = {"w", "ww"};
    for (size_t i = 0; i < 2; i++) {
        struct lfm_safetensors_writer *writer;
        struct lfm_buffer written = {0};
        assert_ok(lfm_safetensors_writer_open(&writer, in_directory("model.safetensors"), &error));
        assert_ok(lfm_safetensors_add_tensor(writer, names[i], lfm_format_by_name("f32"), 1, (size_t[]){0}, &error));
        assert_ok(lfm_safetensors_begin(writer, &error));
        assert_ok(lfm_safetensors_commit(writer, &error));
        lfm_safetensors_writer_close(writer);
        assert_ok(lfm_read_file(&written, in_directory("model.safetensors"), &error));
        cr_assert_eq(written.length % 8, 0u, "the data would begin at byte %zu", written.length);
        cr_assert_eq((size_t)(uint8_t)written.data[0] + 8, written.length);
        cr_assert_eq(strncmp(written.data + 8, "{\"__metadata__\":{\"format\":\"pt\"},", 32), 0);
        lfm_buffer_release(&written);
    }
}

Test(safetensors, offsets_beyond_two_gigabytes_are_written_as_whole_numbers)
{
    struct lfm_safetensors_writer *writer;
    struct lfm_buffer written = {0};
    assert_ok(lfm_safetensors_writer_open(&writer, in_directory("model.safetensors"), &error));
    assert_ok(lfm_safetensors_add_tensor(writer, "w", lfm_format_by_name("f32"), 2, (size_t[]){3, 1234567891}, &error));
    assert_ok(lfm_safetensors_begin(writer, &error));
    fflush(NULL);
    assert_ok(lfm_read_file(&written, in_directory("model.safetensors.partial"), &error));
    cr_assert_not_null(strstr(written.data + 8, "\"shape\":[3,1234567891],\"data_offsets\":[0,14814814692]"));
    lfm_safetensors_writer_close(writer);
    lfm_buffer_release(&written);
}

Test(safetensors, incomplete_file_is_never_seen)
{
    struct lfm_safetensors_writer *writer;
    assert_ok(lfm_safetensors_writer_open(&writer, in_directory("model.safetensors"), &error));
    assert_ok(lfm_safetensors_add_tensor(writer, "w", lfm_format_by_name("f32"), 1, (size_t[]){4}, &error));
    assert_fails(lfm_safetensors_commit(writer, &error), LFM_ERROR_ARGUMENT, "its header is missing");
    assert_ok(lfm_safetensors_begin(writer, &error));
    assert_fails(lfm_safetensors_commit(writer, &error), LFM_ERROR_ARGUMENT, "tensor 'w' has 0 of its 16 bytes");
    lfm_safetensors_writer_close(writer);
    cr_assert_eq(count_files(), 1u, "only config.json was there before");
}

Test(safetensors, writer_refuses_what_no_reader_could_read)
{
    const struct lfm_format *f32 = lfm_format_by_name("f32");
    struct lfm_safetensors_writer *writer;
    assert_ok(lfm_safetensors_writer_open(&writer, in_directory("model.safetensors"), &error));
    assert_fails(lfm_safetensors_add_tensor(writer, "w", lfm_format_by_name("q8_0"), 1, (size_t[]){32}, &error),
                 LFM_ERROR_ARGUMENT, "no type for q8_0");
    assert_fails(lfm_safetensors_add_tensor(writer, "__metadata__", f32, 1, (size_t[]){1}, &error), LFM_ERROR_ARGUMENT,
                 "the name is taken");
    assert_fails(lfm_safetensors_add_tensor(writer, "", f32, 1, (size_t[]){1}, &error), LFM_ERROR_ARGUMENT,
                 "1 to 1023");
    assert_fails(lfm_safetensors_add_tensor(writer, "w", f32, 2, (size_t[]){SIZE_MAX, SIZE_MAX}, &error),
                 LFM_ERROR_FORMAT, "tensor 'w': the shape");
    assert_ok(lfm_safetensors_add_tensor(writer, "w", f32, 1, (size_t[]){SIZE_MAX / 16}, &error));
    assert_ok(lfm_safetensors_add_tensor(writer, "x", f32, 1, (size_t[]){SIZE_MAX / 16}, &error));
    assert_fails(lfm_safetensors_add_tensor(writer, "y", f32, 1, (size_t[]){SIZE_MAX / 16}, &error), LFM_ERROR_LIMIT,
                 "tensor 'y': the file is larger than files can be");
    lfm_safetensors_writer_close(writer);
    cr_assert_eq(count_files(), 1u);
}
