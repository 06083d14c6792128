/* What `trace` and `logits` have in common: a model, a text, and where both come from. */
#ifndef LFM_REFERENCE_COMMAND_RECORDING_H
#define LFM_REFERENCE_COMMAND_RECORDING_H

#include "reference/base/command.h"
#include "reference/command/model_options.h"
#include "reference/model/model.h"
#include "reference/model/text.h"
#include "reference/model/tokenizer.h"
#include "reference/trace/provenance.h"

#include <stdbool.h>

struct lfm_recording {
    struct lfm_model *model;
    struct lfm_tokenizer *tokenizer; /* NULL until a text is read */
    struct lfm_documents documents;
    struct lfm_provenance provenance;
};

/* Opens the model, showing progress while it is quantized. */
enum lfm_status lfm_recording_open(struct lfm_recording *recording, const char *path,
                                   const struct lfm_model_arguments *arguments, bool quiet, struct lfm_error *error);
/* Opens the tokenizer and appends the documents of the files. */
enum lfm_status lfm_recording_read_text(struct lfm_recording *recording, const struct lfm_strings *files, bool special,
                                        struct lfm_error *error);
/* Fills the provenance, showing progress while the model is hashed. */
enum lfm_status lfm_recording_describe(struct lfm_recording *recording, const struct lfm_common *common,
                                       struct lfm_error *error);
void lfm_recording_close(struct lfm_recording *recording);

/* Size of a file in bytes, 0 when it cannot be told. */
double lfm_file_bytes(const char *path);

#endif
