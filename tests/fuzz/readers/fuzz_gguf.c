/* Fuzz target: one GGUF file, its metadata and its tensors. */
#include "reference/checkpoint/gguf.h"
#include "reference/checkpoint/reader.h"
#include "tests/fuzz/readers/fuzz.h"

static void walk_metadata(const struct lfm_gguf *gguf)
{
    struct lfm_error error;
    for (size_t i = 0; i < gguf->n_values; i++) {
        const struct lfm_gguf_value *value = &gguf->values[i];
        const char *text;
        size_t length, cursor = 0, whole;
        double number;
        bool truth;
        fuzz_check_message(lfm_gguf_size(gguf, value->key, &whole, NULL, &error), &error);
        fuzz_check_message(lfm_gguf_double(gguf, value->key, &number, NULL, &error), &error);
        fuzz_check_message(lfm_gguf_bool(gguf, value->key, &truth, NULL, &error), &error);
        fuzz_check_message(lfm_gguf_string(gguf, value->key, &text, &length, NULL, &error), &error);
        for (uint64_t k = 0; k < value->count; k++)
            if (lfm_gguf_next_string(value, &cursor, &text, &length, &error) != LFM_OK) break;
        for (uint64_t k = 0; k < value->count; k++)
            if (lfm_gguf_element(value, k, &number, &error) != LFM_OK) break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lfm_error error = {0};
    struct lfm_mapping file = {.path = (char[]){"fuzz.gguf"}, .data = data, .size = size};
    struct lfm_checkpoint *checkpoint;
    if (lfm_checkpoint_new(&checkpoint, file.path, &error) != LFM_OK) return 0;
    enum lfm_status status = lfm_gguf_read_file(checkpoint, &checkpoint->gguf, &file, &error);
    if (status == LFM_OK) walk_metadata(checkpoint->gguf);
    if (status == LFM_OK) status = lfm_checkpoint_index(checkpoint, &error);
    fuzz_check_message(status, &error);
    if (status == LFM_OK) fuzz_check_tensors(checkpoint, &file);
    lfm_checkpoint_close(checkpoint);
    return 0;
}

static enum lfm_status put_metadata(struct lfm_gguf_writer *writer, struct lfm_error *error)
{
    const char *const words[] = {"a", "", "word"};
    LFM_TRY(lfm_gguf_put_string(writer, "general.architecture", "lfm2moe", 7, error));
    LFM_TRY(lfm_gguf_put_u32(writer, "general.alignment", 32, error));
    LFM_TRY(lfm_gguf_put_f32(writer, "epsilon", 1e-5f, error));
    LFM_TRY(lfm_gguf_put_bool(writer, "bos", true, error));
    LFM_TRY(lfm_gguf_put_strings(writer, "words", words, (size_t[]){1, 0, 4}, 3, error));
    return lfm_gguf_put_numbers(writer, "heads", LFM_GGUF_I32, (int32_t[]){0, 8}, 2, error);
}

static enum lfm_status put_tensors(struct lfm_gguf_writer *writer, struct lfm_error *error)
{
    static const char zeros[4 * 35 + 2 * 34 + 2 * 6];
    LFM_TRY(lfm_gguf_add_tensor(writer, "f", lfm_format_by_name("f32"), 1, (size_t[]){35}, error));
    LFM_TRY(lfm_gguf_add_tensor(writer, "q", lfm_format_by_name("q8_0"), 2, (size_t[]){2, 32}, error));
    LFM_TRY(lfm_gguf_add_tensor(writer, "b", lfm_format_by_name("bf16"), 3, (size_t[]){1, 3, 2}, error));
    LFM_TRY(lfm_gguf_begin(writer, error));
    return lfm_gguf_write_data(writer, zeros, sizeof zeros, error);
}

enum lfm_status fuzz_write_seed(const char *path, struct lfm_error *error)
{
    struct lfm_gguf_writer *writer;
    LFM_TRY(lfm_gguf_writer_open(&writer, path, error));
    enum lfm_status status = put_metadata(writer, error);
    if (status == LFM_OK) status = put_tensors(writer, error);
    if (status == LFM_OK) status = lfm_gguf_commit(writer, error);
    lfm_gguf_writer_close(writer);
    return status;
}
