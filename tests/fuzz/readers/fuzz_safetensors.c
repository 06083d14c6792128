/* Fuzz target: one safetensors file. */
#include "reference/checkpoint/reader.h"
#include "reference/checkpoint/safetensors.h"
#include "tests/fuzz/readers/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lfm_error error = {0};
    struct lfm_mapping file = {.path = (char[]){"fuzz.safetensors"}, .data = data, .size = size};
    struct lfm_checkpoint *checkpoint;
    if (lfm_checkpoint_new(&checkpoint, file.path, &error) != LFM_OK) return 0;
    enum lfm_status status = lfm_safetensors_read_file(checkpoint, &file, &error);
    if (status == LFM_OK) status = lfm_checkpoint_index(checkpoint, &error);
    fuzz_check_message(status, &error);
    if (status == LFM_OK) fuzz_check_tensors(checkpoint, &file);
    lfm_checkpoint_close(checkpoint);
    return 0;
}

enum lfm_status fuzz_write_seed(const char *path, struct lfm_error *error)
{
    static const char zeros[4 * 6 + 2 * 3 + 2 * 2];
    struct lfm_safetensors_writer *writer;
    LFM_TRY(lfm_safetensors_writer_open(&writer, path, error));
    enum lfm_status status;
    LFM_TRY_DONE(lfm_safetensors_add_tensor(writer, "a", lfm_format_by_name("f32"), 2, (size_t[]){2, 3}, error));
    LFM_TRY_DONE(lfm_safetensors_add_tensor(writer, "b", lfm_format_by_name("bf16"), 1, (size_t[]){3}, error));
    LFM_TRY_DONE(lfm_safetensors_add_tensor(writer, "c", lfm_format_by_name("f16"), 4, (size_t[]){1, 2, 1, 1}, error));
    LFM_TRY_DONE(lfm_safetensors_begin(writer, error));
    LFM_TRY_DONE(lfm_safetensors_write_data(writer, zeros, sizeof zeros, error));
    status = lfm_safetensors_commit(writer, error);
done:
    lfm_safetensors_writer_close(writer);
    return status;
}
