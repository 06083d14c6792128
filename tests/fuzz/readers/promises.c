/* What every reader of checkpoints promises, whatever the file: see fuzz.h. */
#include "tests/fuzz/readers/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(int holds, const char *promise)
{
    if (holds) return;
    fprintf(stderr, "broken promise: %s\n", promise);
    abort();
}

void fuzz_check_message(enum lfm_status status, const struct lfm_error *error)
{
    if (status == LFM_OK) return;
    require(error->status == status, "the error carries the status that is returned");
    require(error->message[0] != '\0', "a failure has a message");
    require(strpbrk(error->message, "\r\n") == NULL, "a message is one line");
}

void fuzz_check_tensors(const struct lfm_checkpoint *checkpoint, const struct lfm_mapping *file)
{
    enum { MAX_DECODED = 1 << 16 };
    struct lfm_error error;
    for (size_t i = 0; i < checkpoint->n_tensors; i++) {
        const struct lfm_tensor *tensor = &checkpoint->tensors[i];
        const uint8_t *data = tensor->data;
        require(lfm_checkpoint_find(checkpoint, "%s", tensor->name) == tensor, "every tensor is found by its name");
        require(data >= file->data && data <= file->data + file->size, "data begin in the file");
        require(tensor->bytes <= (size_t)(file->data + file->size - data), "data end in the file");
        size_t n = lfm_tensor_elements(tensor);
        if (n > MAX_DECODED) continue;
        float *values = malloc(n * sizeof *values + 1);
        enum lfm_status status = lfm_tensor_decode(tensor, values, n, &error);
        require((status == LFM_OK) == (tensor->format != NULL), "tensors of known format can be decoded");
        fuzz_check_message(status, &error);
        free(values);
    }
}
