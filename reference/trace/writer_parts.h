/* A trace that is being written, for the files that share the work: layout, observer, lifecycle. Private to
 * reference/trace. */
#ifndef LFM_TRACE_WRITER_PARTS_H
#define LFM_TRACE_WRITER_PARTS_H

#include "reference/trace/rows.h"
#include "reference/trace/statistics.h"
#include "reference/trace/writer.h"

#include <hdf5.h>

/* The datasets below /statistics/<point>, and what they are computed from. */
struct lfm_point_statistics {
    struct lfm_channel_statistics running; /* cells: layers, or [L,E] for the points of experts */
    hid_t datasets[LFM_STATISTIC_COUNT], count, absmax_token;
};

/* Tokens per expert, and the sum of their mixing weights: [L,E]. */
struct lfm_router_statistics {
    int64_t *load;
    double *weight_sum;
    hid_t load_dataset, mean_weight_dataset;
};

/* What is computed from announced values, for one announcement at a time. */
struct lfm_derived {
    float *scores, *margins;                  /* [n,E], [n] of the layer's tokens whose logits came last */
    float *entropy, *largest, *span_mass;     /* [n,H], [n,H], [n,H,S] */
    int32_t *position;                        /* [n,H] */
    size_t scores_room, margins_room, entropy_room, largest_room, span_room, position_room;
};

struct lfm_trace_writer {
    hid_t file;
    char *path;
    struct lfm_rows_file rows_file;
    const struct lfm_model *model;
    const struct lfm_config *config; /* the model's */
    const struct lfm_documents *documents;
    const struct lfm_state *state;   /* of the sequence that is run, for attention weights; may be NULL */
    struct lfm_trace_options options;
    struct lfm_observer observer;
    const struct lfm_format *half;   /* the encoder, when options.half */
    uint16_t *halves;                /* [staged values] */
    float *gathered;                 /* [staged values] chosen experts' rows, token after token */
    size_t chunk_rows;
    hid_t axes[LFM_AXIS_COUNT];      /* -1 where the model has no such axis */
    struct lfm_rows token_axis, ids, token_documents, positions, logits;
    struct lfm_rows *points;         /* [L, LFM_POINT_COUNT], zeroed where nothing is recorded */
    struct lfm_point_statistics statistics[LFM_POINT_COUNT];
    struct lfm_router_statistics router;
    struct lfm_derived derived;
    size_t piece_position, piece_end; /* of the tokens added last, in their document */
    size_t piece_row;                 /* rows before them */
    size_t flushed;                   /* rows in the file at the last flush */
    size_t final;                     /* rows that every dataset has, when finishing */
};

static inline struct lfm_rows *lfm_writer_rows(struct lfm_trace_writer *writer, size_t layer, enum lfm_point point)
{
    return &writer->points[layer * LFM_POINT_COUNT + (size_t)point];
}

/* Whether the point of this layer is recorded, as values or as statistics. */
bool lfm_writer_records(const struct lfm_trace_writer *writer, size_t layer, enum lfm_point point);
/* Values per token, sums over all spans included. */
size_t lfm_writer_width(const struct lfm_trace_writer *writer, size_t layer, enum lfm_point point);
/* Values that can be staged in halves or gathered: at least one token's of any point. */
size_t lfm_writer_staged(const struct lfm_trace_writer *writer);
/* Whether --half leaves the point in single precision: the router's values and attention weights. */
bool lfm_writer_stays_single(enum lfm_point point);

/* Creates the file with all groups and datasets, and brings it to disk. */
enum lfm_status lfm_writer_create(struct lfm_trace_writer *writer, const struct lfm_provenance *provenance,
                                  struct lfm_error *error);
enum lfm_status lfm_writer_flush_file(struct lfm_trace_writer *writer, struct lfm_error *error);

/* The observer's function; its context is the writer. */
enum lfm_status lfm_writer_observe(void *context, const struct lfm_announcement *announcement, struct lfm_error *error);

#endif
