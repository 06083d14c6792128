/* The quantized model as a Hugging Face directory: config.json, model.safetensors, and the tokenizer's files. See
 * quantize.h. */
#include "quant/quantize_parts.h"

#include "reference/base/file.h"
#include "reference/base/memory.h"
#include "reference/checkpoint/safetensors.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- model.safetensors --- */

static enum lfm_status write_piece(void *writer, const void *bytes, size_t length, struct lfm_error *error)
{
    return lfm_safetensors_write_data(writer, bytes, length, error);
}

static enum lfm_status write_weights(const struct lfm_quantization *plan, const char *path,
                                     struct lfm_progress *progress, struct lfm_error *error)
{
    struct lfm_safetensors_writer *writer;
    enum lfm_status status;
    LFM_TRY(lfm_safetensors_writer_open(&writer, path, error));
    for (size_t i = 0; i < plan->count; i++) {
        const struct lfm_planned_tensor *tensor = &plan->tensors[i];
        LFM_TRY_DONE(lfm_safetensors_add_tensor(writer, tensor->name, tensor->format, tensor->n_dimensions,
                                                tensor->shape, error));
    }
    LFM_TRY_DONE(lfm_safetensors_begin(writer, error));
    const struct lfm_data_sink sink = {write_piece, writer};
    LFM_TRY_DONE(lfm_quantization_write_data(plan, &sink, progress, error));
    status = lfm_safetensors_commit(writer, error);
done:
    lfm_safetensors_writer_close(writer);
    return status;
}

/* --- the rest --- */

static enum lfm_status copy_file(const char *from, const char *to, struct lfm_error *error)
{
    struct lfm_buffer contents = {0};
    if (!lfm_file_exists(from)) return LFM_OK;
    enum lfm_status status = lfm_read_file(&contents, from, error);
    if (status == LFM_OK) status = lfm_write_file(to, contents.data, contents.length, error);
    lfm_buffer_release(&contents);
    return status;
}

enum lfm_status lfm_copy_companions(const char *source, const char *directory, struct lfm_error *error)
{
    static const char *const names[] = {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
                                        "added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja",
                                        "chat_template.json", "generation_config.json", "LICENSE"};
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; status == LFM_OK && i < sizeof names / sizeof names[0]; i++) {
        char *from = NULL, *to = NULL;
        status = lfm_join_path(&from, source, names[i], error);
        if (status == LFM_OK) status = lfm_join_path(&to, directory, names[i], error);
        if (status == LFM_OK) status = copy_file(from, to, error);
        free(from);
        free(to);
    }
    return status;
}

/* The tokenizer's and other small files. */
static enum lfm_status write_companions(const struct lfm_quantization *plan, const char *directory,
                                        struct lfm_error *error)
{
    const struct lfm_checkpoint *checkpoint = plan->model->checkpoint;
    if (checkpoint->container == LFM_HUGGING_FACE) return lfm_copy_companions(checkpoint->path, directory, error);
    return lfm_quantization_write_tokenizer(plan, directory, error);
}

static enum lfm_status fill_directory(const struct lfm_quantization *plan, const char *directory,
                                      struct lfm_progress *progress, struct lfm_error *error)
{
    char *config = NULL, *weights = NULL;
    enum lfm_status status;
    LFM_TRY_DONE(lfm_join_path(&config, directory, "config.json", error));
    LFM_TRY_DONE(lfm_join_path(&weights, directory, "model.safetensors", error));
    LFM_TRY_DONE(lfm_quantization_write_config(plan, config, error));
    LFM_TRY_DONE(write_companions(plan, directory, error));
    status = write_weights(plan, weights, progress, error);
done:
    free(config);
    free(weights);
    return status;
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_empty_directory(const char *path)
{
    DIR *directory = opendir(path);
    if (!directory) return false;
    const struct dirent *entry;
    do entry = readdir(directory);
    while (entry && is_dot(entry->d_name));
    closedir(directory);
    return entry == NULL;
}

/* Removes a directory of plain files. */
static void remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    if (!directory) return;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char *file;
        if (is_dot(entry->d_name) || lfm_join_path(&file, path, entry->d_name, NULL) != LFM_OK) continue;
        unlink(file);
        free(file);
    }
    closedir(directory);
    rmdir(path);
}

enum lfm_status lfm_quantization_write_directory(const struct lfm_quantization *quantization, const char *path,
                                                 struct lfm_progress *progress, struct lfm_error *error)
{
    if (lfm_file_exists(path) && !is_empty_directory(path))
        return lfm_fail(error, LFM_ERROR_IO, "cannot write to '%s': it exists and is not an empty directory",
                        path);
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') length--;
    char *final = NULL;
    struct lfm_buffer partial = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_copy_string(&final, path, length, error));
    LFM_TRY_DONE(lfm_buffer_printf(&partial, error, "%s.partial", final));
    remove_directory(partial.data);
    LFM_TRY_DONE(lfm_make_directory(partial.data, error));
    status = fill_directory(quantization, partial.data, progress, error);
    if (status == LFM_OK && rename(partial.data, final) != 0)
        status = lfm_fail(error, LFM_ERROR_IO, "cannot rename '%s' to '%s': %s", partial.data, final, strerror(errno));
    if (status != LFM_OK) remove_directory(partial.data);
done:
    lfm_buffer_release(&partial);
    free(final);
    return status;
}
