/* What a model's weights are called in results: see lfm_weights_name in model.h. */
#include "reference/model/model.h"

#include <stdint.h>
#include <string.h>

enum { MAX_FORMATS = 64 };

struct tally {
    const struct lfm_format *formats[MAX_FORMATS];
    size_t elements[MAX_FORMATS];
    size_t n;
};

static enum lfm_status count_elements(void *context, const char *name, struct lfm_matrix *matrix,
                                      struct lfm_error *error)
{
    (void)name;
    (void)error;
    struct tally *tally = context;
    size_t i = 0;
    while (i < tally->n && tally->formats[i] != matrix->format) i++;
    if (i == MAX_FORMATS) return LFM_OK;
    if (i == tally->n) tally->formats[tally->n++] = matrix->format;
    tally->elements[i] += matrix->rows * matrix->columns;
    return LFM_OK;
}

const char *lfm_weights_name(const struct lfm_model *model)
{
    struct tally tally = {0};
    if (strcmp(model->weights, "stored") != 0) return model->weights;
    lfm_model_each_matrix((struct lfm_model *)(uintptr_t)model, count_elements, &tally, NULL);
    size_t most = 0;
    for (size_t i = 1; i < tally.n; i++)
        if (tally.elements[i] > tally.elements[most]) most = i;
    return tally.formats[most]->name;
}
