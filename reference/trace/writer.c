/* Writing a trace: see writer.h. */
#include "reference/trace/writer.h"

#include "reference/base/file.h"
#include "reference/base/memory.h"
#include "reference/trace/h5.h"
#include "reference/trace/header.h"
#include "reference/trace/writer_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum lfm_status lfm_trace_check_target(const char *path, struct lfm_error *error)
{
    const char *slash = strrchr(path, '/');
    char *place; /* what has to be writable: the file, or its directory */
    LFM_TRY(lfm_h5_check_target(path, error));
    if (lfm_file_exists(path)) LFM_TRY(lfm_copy_string(&place, path, strlen(path), error));
    else if (slash) LFM_TRY(lfm_copy_string(&place, path, (size_t)(slash - path) + 1, error));
    else LFM_TRY(lfm_copy_string(&place, ".", 1, error));
    bool writable = access(place, W_OK) == 0;
    int reason = errno;
    free(place);
    return writable ? LFM_OK : lfm_fail(error, LFM_ERROR_IO, "cannot create '%s': %s", path, strerror(reason));
}

double lfm_trace_value_bytes(const struct lfm_config *config, const struct lfm_documents *documents,
                             const struct lfm_trace_options *options)
{
    const struct lfm_selection *selection = &options->selection;
    double row = options->logits ? 4.0 * (double)config->vocab_size : 0;
    for (size_t layer = 0; layer < config->num_hidden_layers && !options->statistics_only; layer++)
        for (int p = 0; p < LFM_POINT_COUNT && selection->layers[layer]; p++) {
            enum lfm_point point = (enum lfm_point)p;
            size_t width = lfm_point_width(config, layer, point);
            if (!selection->points[p]) continue;
            if (point == LFM_POINT_WEIGHTS_SPANS) width *= selection->spans.count;
            row += (double)width * (options->half && !lfm_writer_stays_single(point) ? 2 : 4);
        }
    return row * (double)lfm_selection_tokens(selection, documents);
}

static void mark_closed(struct lfm_trace_writer *writer)
{
    for (int a = 0; a < LFM_AXIS_COUNT; a++) writer->axes[a] = -1;
    for (int p = 0; p < LFM_POINT_COUNT; p++) {
        writer->statistics[p].count = writer->statistics[p].absmax_token = -1;
        for (int s = 0; s < LFM_STATISTIC_COUNT; s++) writer->statistics[p].datasets[s] = -1;
    }
    writer->router.load_dataset = writer->router.mean_weight_dataset = writer->file = -1;
}

enum lfm_status lfm_trace_writer_open(struct lfm_trace_writer **out, const char *path, const struct lfm_model *model,
                                      const struct lfm_provenance *provenance, const struct lfm_documents *documents,
                                      const struct lfm_trace_options *options, struct lfm_error *error)
{
    struct lfm_trace_writer *writer = NULL;
    *out = NULL;
    LFM_TRY(lfm_h5_check_target(path, error));
    LFM_TRY(LFM_ALLOC(&writer, 1, error));
    mark_closed(writer);
    writer->model = model;
    writer->config = &model->config;
    writer->documents = documents;
    writer->options = *options;
    writer->observer = (struct lfm_observer){lfm_writer_observe, writer};
    size_t tokens = lfm_selection_tokens(&options->selection, documents);
    writer->chunk_rows = tokens < LFM_TRACE_CHUNK ? tokens : LFM_TRACE_CHUNK;
    if (writer->chunk_rows == 0) writer->chunk_rows = 1;
    enum lfm_status status = lfm_copy_string(&writer->path, path, strlen(path), error);
    writer->rows_file.path = writer->path;
    if (status == LFM_OK) status = lfm_writer_create(writer, provenance, error);
    if (status == LFM_OK) {
        *out = writer;
        return LFM_OK;
    }
    bool created = writer->file >= 0;
    lfm_trace_writer_close(writer);
    if (created) unlink(path);
    return status;
}

const struct lfm_observer *lfm_trace_writer_observer(const struct lfm_trace_writer *writer)
{
    return &writer->observer;
}

void lfm_trace_writer_set_state(struct lfm_trace_writer *writer, const struct lfm_state *state)
{
    writer->state = state;
}

enum lfm_status lfm_trace_writer_add_tokens(struct lfm_trace_writer *writer, size_t document, size_t position,
                                            const int32_t *ids, size_t n, struct lfm_error *error)
{
    size_t start, stop;
    writer->piece_position = position;
    writer->piece_end = position + n;
    writer->piece_row = lfm_rows_count(&writer->ids);
    for (size_t from = position;
         lfm_ranges_next(&writer->options.selection.tokens, from, position + n, &start, &stop); from = stop) {
        LFM_TRY(lfm_rows_append(&writer->ids, ids + (start - position), stop - start, error));
        for (size_t t = start; t < stop; t++) {
            const int32_t index = (int32_t)lfm_rows_count(&writer->token_axis);
            const int32_t owner = (int32_t)document, at = (int32_t)t;
            LFM_TRY(lfm_rows_append(&writer->token_axis, &index, 1, error));
            LFM_TRY(lfm_rows_append(&writer->token_documents, &owner, 1, error));
            LFM_TRY(lfm_rows_append(&writer->positions, &at, 1, error));
        }
    }
    return LFM_OK;
}

enum lfm_status lfm_trace_writer_add_logits(struct lfm_trace_writer *writer, const float *logits, size_t n,
                                            struct lfm_error *error)
{
    return lfm_rows_append(&writer->logits, logits, n, error);
}

/* Calls `visit` for every dataset with a row per token. */
static enum lfm_status each_rows(struct lfm_trace_writer *writer,
                                 enum lfm_status (*visit)(struct lfm_trace_writer *writer, struct lfm_rows *rows,
                                                          struct lfm_error *error),
                                 struct lfm_error *error)
{
    LFM_TRY(visit(writer, &writer->token_axis, error));
    LFM_TRY(visit(writer, &writer->ids, error));
    LFM_TRY(visit(writer, &writer->token_documents, error));
    LFM_TRY(visit(writer, &writer->positions, error));
    if (writer->options.logits) LFM_TRY(visit(writer, &writer->logits, error));
    for (size_t i = 0; writer->points && i < writer->config->num_hidden_layers * LFM_POINT_COUNT; i++)
        if (writer->points[i].file) LFM_TRY(visit(writer, &writer->points[i], error));
    return LFM_OK;
}

static enum lfm_status check_count(struct lfm_trace_writer *writer, struct lfm_rows *rows, struct lfm_error *error)
{
    size_t expected = lfm_rows_count(&writer->ids), found = lfm_rows_count(rows);
    if (found == expected) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_MISMATCH, "'%s': %zu tokens were run, but '%s' has %zu rows", writer->path,
                    expected, rows->name, found);
}

static enum lfm_status find_least(struct lfm_trace_writer *writer, struct lfm_rows *rows, struct lfm_error *error)
{
    (void)error;
    if (lfm_rows_count(rows) < writer->final) writer->final = lfm_rows_count(rows);
    return LFM_OK;
}

static enum lfm_status finish_rows(struct lfm_trace_writer *writer, struct lfm_rows *rows, struct lfm_error *error)
{
    LFM_TRY(lfm_rows_truncate(rows, writer->final, error));
    return lfm_rows_finish(rows, error);
}

static enum lfm_status write_whole(struct lfm_trace_writer *writer, hid_t dataset, hid_t type, const void *values,
                                   struct lfm_error *error)
{
    if (H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0) return LFM_OK;
    return lfm_h5_fail(error, LFM_ERROR_IO, "write", "/statistics", writer->path);
}

static enum lfm_status write_router_statistics(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    const struct lfm_router_statistics *router = &writer->router;
    if (!router->load) return LFM_OK;
    size_t cells = writer->config->num_hidden_layers * writer->config->num_experts;
    double *mean;
    LFM_TRY(LFM_ALLOC(&mean, cells, error));
    for (size_t i = 0; i < cells; i++)
        mean[i] = router->load[i] > 0 ? router->weight_sum[i] / (double)router->load[i] : 0;
    enum lfm_status status = write_whole(writer, router->load_dataset, H5T_NATIVE_INT64, router->load, error);
    if (status == LFM_OK) status = write_whole(writer, router->mean_weight_dataset, H5T_NATIVE_DOUBLE, mean, error);
    free(mean);
    return status;
}

static enum lfm_status write_statistics(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    enum lfm_status status = LFM_OK;
    for (int p = 0; p < LFM_POINT_COUNT && status == LFM_OK; p++) {
        const struct lfm_point_statistics *statistics = &writer->statistics[p];
        if (!statistics->running.count) continue;
        double *values;
        LFM_TRY(LFM_ALLOC(&values, statistics->running.cells * statistics->running.width, error));
        status = write_whole(writer, statistics->count, H5T_NATIVE_UINT64, statistics->running.count, error);
        for (int s = 0; s < LFM_STATISTIC_COUNT && status == LFM_OK; s++) {
            lfm_channel_statistics_get(&statistics->running, (enum lfm_statistic)s, values);
            status = write_whole(writer, statistics->datasets[s], H5T_NATIVE_DOUBLE, values, error);
        }
        free(values);
        if (status == LFM_OK)
            status = write_whole(writer, statistics->absmax_token, H5T_NATIVE_INT64, statistics->running.absmax_token,
                                 error);
    }
    return status == LFM_OK ? write_router_statistics(writer, error) : status;
}

enum lfm_status lfm_trace_writer_flush(struct lfm_trace_writer *writer, struct lfm_error *error)
{
    LFM_TRY(each_rows(writer, check_count, error));
    if (writer->ids.written == writer->flushed) return LFM_OK;
    writer->flushed = writer->ids.written;
    LFM_TRY(write_statistics(writer, error));
    return lfm_writer_flush_file(writer, error);
}

enum lfm_status lfm_trace_writer_finish(struct lfm_trace_writer *writer, bool complete, struct lfm_error *error)
{
    if (complete) LFM_TRY(each_rows(writer, check_count, error));
    writer->final = lfm_rows_count(&writer->ids);
    LFM_TRY(each_rows(writer, find_least, error));
    LFM_TRY(each_rows(writer, finish_rows, error));
    LFM_TRY(write_statistics(writer, error));
    LFM_TRY(lfm_h5_set_whole(writer->file, "complete", complete, writer->path, error));
    return lfm_writer_flush_file(writer, error);
}

static void close_statistics(struct lfm_point_statistics *statistics)
{
    for (int s = 0; s < LFM_STATISTIC_COUNT; s++) lfm_h5_close(statistics->datasets[s]);
    lfm_h5_close(statistics->count);
    lfm_h5_close(statistics->absmax_token);
    lfm_channel_statistics_release(&statistics->running);
}

static void release_derived(struct lfm_derived *derived)
{
    free(derived->scores);
    free(derived->margins);
    free(derived->entropy);
    free(derived->largest);
    free(derived->span_mass);
    free(derived->position);
}

void lfm_trace_writer_close(struct lfm_trace_writer *writer)
{
    if (!writer) return;
    lfm_rows_close(&writer->token_axis);
    lfm_rows_close(&writer->ids);
    lfm_rows_close(&writer->token_documents);
    lfm_rows_close(&writer->positions);
    lfm_rows_close(&writer->logits);
    for (size_t i = 0; writer->points && i < writer->config->num_hidden_layers * LFM_POINT_COUNT; i++)
        lfm_rows_close(&writer->points[i]);
    for (int p = 0; p < LFM_POINT_COUNT; p++) close_statistics(&writer->statistics[p]);
    for (int a = 0; a < LFM_AXIS_COUNT; a++) lfm_h5_close(writer->axes[a]);
    lfm_h5_close(writer->router.load_dataset);
    lfm_h5_close(writer->router.mean_weight_dataset);
    lfm_h5_close(writer->file);
    free(writer->router.load);
    free(writer->router.weight_sum);
    free(writer->points);
    free(writer->halves);
    free(writer->gathered);
    release_derived(&writer->derived);
    free(writer->rows_file.chunk.bytes);
    free(writer->path);
    free(writer);
}
