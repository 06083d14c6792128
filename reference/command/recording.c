/* Common parts of `trace` and `logits`: see recording.h. */
#include "reference/command/recording.h"

#include <sys/stat.h>

enum lfm_status lfm_recording_open(struct lfm_recording *recording, const char *path,
                                   const struct lfm_model_arguments *arguments, bool quiet, struct lfm_error *error)
{
    return lfm_open_model(&recording->model, path, arguments, "quantizing", quiet, error);
}

enum lfm_status lfm_recording_read_text(struct lfm_recording *recording, const struct lfm_strings *files, bool special,
                                        struct lfm_error *error)
{
    LFM_TRY(lfm_tokenizer_open(&recording->tokenizer, recording->model->checkpoint, error));
    return lfm_documents_read(&recording->documents, files->items, files->count, recording->tokenizer, special, error);
}

enum lfm_status lfm_recording_describe(struct lfm_recording *recording, const struct lfm_common *common,
                                       struct lfm_error *error)
{
    struct lfm_progress progress;
    lfm_progress_start(&progress, "hashing", "bytes", 0, common->quiet);
    enum lfm_status status = lfm_provenance_collect(&recording->provenance, recording->model, recording->tokenizer,
                                                    common->seed, &progress, error);
    lfm_progress_finish(&progress);
    return status;
}

void lfm_recording_close(struct lfm_recording *recording)
{
    lfm_provenance_release(&recording->provenance);
    lfm_documents_release(&recording->documents);
    lfm_tokenizer_free(recording->tokenizer);
    lfm_model_close(recording->model);
    *recording = (struct lfm_recording){0};
}

double lfm_file_bytes(const char *path)
{
    struct stat information;
    return stat(path, &information) == 0 ? (double)information.st_size : 0;
}
