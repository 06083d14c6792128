/* The scored positions of a text: which cluster each belongs to for standard errors, and which label it carries. */
#ifndef LFM_QUANT_POSITIONS_H
#define LFM_QUANT_POSITIONS_H

#include "reference/base/error.h"
#include "reference/model/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LFM_NO_LABEL UINT32_MAX

struct lfm_position_label {
    const char *name; /* borrowed from the documents */
    size_t positions, documents;
};

struct lfm_positions {
    size_t count;       /* scored positions, in the order of the windows */
    size_t n_documents; /* documents with a scored position */
    bool by_window;     /* there is just one such document: clusters are its windows */
    uint32_t *clusters; /* [count], never decreasing: the document's, or the window's, number */
    uint32_t *labels;   /* [count]: index into `names`, or LFM_NO_LABEL */
    struct lfm_position_label *names; /* in order of appearance */
    size_t n_names, names_capacity;
};

/* Lists the positions of all windows and leaves *windows rewound; its documents are borrowed. On failure nothing is
 * owned. */
enum lfm_status lfm_positions_list(struct lfm_positions *positions, struct lfm_windows *windows,
                                   struct lfm_error *error);
void lfm_positions_release(struct lfm_positions *positions);

/* Copies the values [count] at positions with this label, and their clusters; both have room for all. Returns how
 * many. */
size_t lfm_positions_select(const struct lfm_positions *positions, uint32_t label, const double *values,
                            double *selected, uint32_t *clusters);

#endif
