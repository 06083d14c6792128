/* Scored positions: see positions.h. */
#include "quant/positions.h"

#include "reference/base/memory.h"

#include <stdlib.h>
#include <string.h>

/* The index of a label, added when it is new. */
static enum lfm_status find_label(struct lfm_positions *positions, const char *name, uint32_t *label,
                                  struct lfm_error *error)
{
    *label = LFM_NO_LABEL;
    if (!name) return LFM_OK;
    size_t i = 0;
    while (i < positions->n_names && strcmp(positions->names[i].name, name) != 0) i++;
    if (i == positions->n_names) {
        LFM_TRY(LFM_GROW(&positions->names, &positions->names_capacity, i + 1, error));
        positions->names[positions->n_names++] = (struct lfm_position_label){.name = name};
    }
    *label = (uint32_t)i;
    return LFM_OK;
}

static enum lfm_status fill(struct lfm_positions *positions, struct lfm_windows *windows, struct lfm_error *error)
{
    struct lfm_window window;
    size_t last = SIZE_MAX, at = 0;
    uint32_t label = LFM_NO_LABEL;
    for (uint32_t number = 0; lfm_windows_next(windows, &window); number++) {
        bool new_document = window.document != last;
        last = window.document;
        if (new_document) LFM_TRY(find_label(positions, windows->documents->items[last].label, &label, error));
        if (label != LFM_NO_LABEL) {
            positions->names[label].documents += new_document;
            positions->names[label].positions += window.count;
        }
        for (size_t i = 0; i < window.count; i++, at++) {
            positions->clusters[at] = positions->by_window ? number : (uint32_t)window.document;
            positions->labels[at] = label;
        }
    }
    return LFM_OK;
}

enum lfm_status lfm_positions_list(struct lfm_positions *positions, struct lfm_windows *windows,
                                   struct lfm_error *error)
{
    *positions = (struct lfm_positions){
        .count = windows->n_scored,
        .n_documents = windows->n_documents,
        .by_window = windows->n_documents == 1,
    };
    enum lfm_status status;
    LFM_TRY_DONE(LFM_ALLOC(&positions->clusters, positions->count, error));
    LFM_TRY_DONE(LFM_ALLOC(&positions->labels, positions->count, error));
    lfm_windows_rewind(windows);
    LFM_TRY_DONE(fill(positions, windows, error));
    lfm_windows_rewind(windows);
    return LFM_OK;

done:
    lfm_positions_release(positions);
    return status;
}

void lfm_positions_release(struct lfm_positions *positions)
{
    free(positions->clusters);
    free(positions->labels);
    free(positions->names);
    *positions = (struct lfm_positions){0};
}

size_t lfm_positions_select(const struct lfm_positions *positions, uint32_t label, const double *values,
                            double *selected, uint32_t *clusters)
{
    size_t n = 0;
    for (size_t i = 0; i < positions->count; i++) {
        if (positions->labels[i] != label) continue;
        selected[n] = values[i];
        clusters[n++] = positions->clusters[i];
    }
    return n;
}
