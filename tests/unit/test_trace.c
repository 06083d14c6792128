/* Traces: what is written is read back, in every state a run can leave a file in. */
#include "reference/base/file.h"
#include "reference/model/forward.h"
#include "reference/trace/h5.h"
#include "reference/trace/logits_writer.h"
#include "reference/trace/reader.h"
#include "reference/trace/run.h"
#include "reference/trace/statistics.h"
#include "tests/unit/assert.h"
#include "tests/unit/trace_files.h"

#include <hdf5_hl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct lfm_error error;
static struct made_model made;

static void setup(void)
{
    static const size_t lengths[] = {330, 270};
    make_directory();
    made_model_init(&made, lengths, 2);
}

static void teardown(void)
{
    made_model_release(&made);
    remove_directory();
}

TestSuite(trace, .init = setup, .fini = teardown);

static struct lfm_trace *open_trace(const char *name)
{
    struct lfm_trace *trace;
    assert_ok(lfm_trace_open(&trace, in_directory(name), &error));
    return trace;
}

/* Every value of tokens [first, first + n) of a point is what was announced, within the relative tolerance. */
static void check_point(const struct lfm_trace *trace, size_t layer, enum lfm_point point, size_t first, size_t n,
                        double tolerance)
{
    size_t width = lfm_trace_width(trace, layer, point);
    cr_assert_eq(width, lfm_point_width(&made.model.config, layer, point));
    float *values = calloc(n * width, sizeof *values);
    assert_ok(lfm_trace_read(trace, layer, point, first, n, values, &error));
    for (size_t t = 0; t < n; t++)
        for (size_t c = 0; c < width; c++) {
            double expected = made_value(&made, layer, point, first + t, c);
            assert_near(values[t * width + c], expected, tolerance * fabs(expected) + tolerance * 1e-3);
        }
    free(values);
}

Test(trace, values_read_back_are_those_announced)
{
    write_made_trace(&made, "t.h5");
    struct lfm_trace *trace = open_trace("t.h5");
    const struct lfm_trace_information *information = lfm_trace_information(trace);
    cr_assert(information->complete);
    cr_assert_eq(information->tokens, 600);
    cr_assert_eq(information->documents, 2);
    cr_assert_str_eq(information->model, "made");
    for (size_t layer = 0; layer < MADE_LAYERS; layer++)
        for (int p = 0; p < LFM_POINT_COUNT; p++) {
            enum lfm_point point = (enum lfm_point)p;
            if (point == LFM_POINT_ROUTER_SELECTED || point == LFM_POINT_ROUTER_WEIGHTS || lfm_point_is_derived(point)) continue;
            if (made.options.selection.points[p] && lfm_point_width(&made.model.config, layer, point) > 0) check_point(trace, layer, point, 0, 600, 0);
            else cr_assert_eq(lfm_trace_width(trace, layer, point), 0);
        }
    check_point(trace, 2, LFM_POINT_RESIDUAL, 250, 20, 0); /* across the border of two chunks */
    lfm_trace_close(trace);
}

Test(trace, router_decisions_and_bias_are_kept)
{
    int32_t selected[600 * MADE_CHOSEN], expected[MADE_CHOSEN];
    float weights[600 * MADE_CHOSEN], expected_weights[MADE_CHOSEN], bias[MADE_EXPERTS];
    write_made_trace(&made, "t.h5");
    struct lfm_trace *trace = open_trace("t.h5");
    assert_ok(lfm_trace_read_selected(trace, 3, 0, 600, selected, &error));
    assert_ok(lfm_trace_read(trace, 3, LFM_POINT_ROUTER_WEIGHTS, 0, 600, weights, &error));
    assert_ok(lfm_trace_read_expert_bias(trace, 3, bias, &error));
    for (size_t t = 0; t < 600; t++) {
        made_choice(&made, 3, t, expected, expected_weights);
        cr_assert_arr_eq(selected + t * MADE_CHOSEN, expected, sizeof expected);
        cr_assert_arr_eq(weights + t * MADE_CHOSEN, expected_weights, sizeof expected_weights);
    }
    cr_assert_arr_eq(bias, made.expert_bias, sizeof bias);
    lfm_trace_close(trace);
}

Test(trace, tokens_know_their_document_and_position)
{
    int32_t ids[600], documents[600], positions[600];
    write_made_trace(&made, "t.h5");
    struct lfm_trace *trace = open_trace("t.h5");
    assert_ok(lfm_trace_read_tokens(trace, 0, 600, ids, &error));
    assert_ok(lfm_trace_read_documents(trace, 0, 600, documents, &error));
    assert_ok(lfm_trace_read_positions(trace, 0, 600, positions, &error));
    for (int32_t t = 0; t < 600; t++) {
        cr_assert_eq(ids[t], t % MADE_VOCABULARY);
        cr_assert_eq(documents[t], t >= 330);
        cr_assert_eq(positions[t], t < 330 ? t : t - 330);
    }
    lfm_trace_close(trace);
}

Test(trace, half_precision_is_within_half_an_ulp_and_spares_the_router)
{
    made.options.half = true;
    write_made_trace(&made, "t.h5");
    struct lfm_trace *trace = open_trace("t.h5");
    check_point(trace, 0, LFM_POINT_RESIDUAL, 0, 600, 1.0 / 2048);
    check_point(trace, 1, LFM_POINT_Q, 200, 100, 1.0 / 2048);
    check_point(trace, 2, LFM_POINT_ROUTER_LOGITS, 0, 600, 0);
    lfm_trace_close(trace);
}

Test(trace, selection_limits_what_is_stored)
{
    assert_ok(lfm_selection_parse_points(&made.options.selection, "residual,router", &made.model.config, &error));
    assert_ok(lfm_selection_parse_layers(&made.options.selection, "1-2", &made.model.config, &error));
    write_made_trace(&made, "t.h5");
    struct lfm_trace *trace = open_trace("t.h5");
    cr_assert_eq(lfm_trace_width(trace, 0, LFM_POINT_RESIDUAL), 0);
    cr_assert_eq(lfm_trace_width(trace, 1, LFM_POINT_RESIDUAL), MADE_WIDTH);
    cr_assert_eq(lfm_trace_width(trace, 1, LFM_POINT_OPERATOR), 0);
    cr_assert_eq(lfm_trace_width(trace, 2, LFM_POINT_ROUTER_LOGITS), MADE_EXPERTS);
    cr_assert_eq(lfm_trace_width(trace, 3, LFM_POINT_ROUTER_LOGITS), 0);
    float value;
    assert_fails(lfm_trace_read(trace, 0, LFM_POINT_RESIDUAL, 0, 1, &value, &error), LFM_ERROR_MISMATCH,
                 "/layers/00/residual");
    lfm_trace_close(trace);
}

/* The names of points and layers as the user types them. */
static enum lfm_status parse(const char *points, const char *layers)
{
    struct lfm_selection selection = {0};
    LFM_TRY(lfm_selection_parse_points(&selection, points, &made.model.config, &error));
    LFM_TRY(lfm_selection_parse_layers(&selection, layers, &made.model.config, &error));
    return lfm_selection_check(&selection, &made.model.config, &error);
}

Test(trace, points_and_layers_that_do_not_exist_are_refused)
{
    assert_ok(parse("B,router/logits", "0,2-3"));
    assert_fails(parse("B,foo", NULL), LFM_ERROR_ARGUMENT, "unknown point 'foo'");
    assert_fails(parse("", NULL), LFM_ERROR_ARGUMENT, "unknown point ''");
    assert_fails(parse(NULL, "2-4"), LFM_ERROR_ARGUMENT, "layers 0 to 3");
    assert_fails(parse(NULL, "99999999999999999999"), LFM_ERROR_ARGUMENT, "layers 0 to 3");
    assert_fails(parse(NULL, "3-2"), LFM_ERROR_ARGUMENT, "'3-2'");
    assert_fails(parse(NULL, "1,"), LFM_ERROR_ARGUMENT, "'1,'");
    assert_fails(parse("B", "1,3"), LFM_ERROR_ARGUMENT, "nothing to record");
}

/* The dataset of a statistic, to be freed. */
static double *read_statistic(const char *name, size_t n)
{
    double *values = calloc(n, sizeof *values);
    hid_t file = H5Fopen(in_directory("t.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    cr_assert(H5LTread_dataset_double(file, name, values) >= 0, "%s", name);
    H5Fclose(file);
    return values;
}

Test(trace, statistics_cover_every_token_even_without_arrays)
{
    made.options.statistics_only = true;
    write_made_trace(&made, "t.h5");
    struct lfm_trace *trace = open_trace("t.h5");
    for (int p = 0; p < LFM_POINT_COUNT; p++) cr_assert_eq(lfm_trace_width(trace, 2, (enum lfm_point)p), 0);
    lfm_trace_close(trace);

    double *mean = read_statistic("/statistics/B/mean", MADE_LAYERS * MADE_WIDTH);
    double *rms = read_statistic("/statistics/B/rms", MADE_LAYERS * MADE_WIDTH);
    double *absmax = read_statistic("/statistics/B/absmax", MADE_LAYERS * MADE_WIDTH);
    double *count = read_statistic("/statistics/B/count", MADE_LAYERS);
    double sum = 0, squares = 0, largest = 0;
    for (size_t t = 0; t < 600; t++) {
        double x = made_value(&made, 2, LFM_POINT_B, t, 5);
        sum += x;
        squares += x * x;
        largest = fmax(largest, fabs(x));
    }
    assert_near(mean[2 * MADE_WIDTH + 5], sum / 600, 1e-12);
    assert_near(rms[2 * MADE_WIDTH + 5], sqrt(squares / 600), 1e-12);
    assert_near(absmax[2 * MADE_WIDTH + 5], largest, 0);
    cr_assert_eq(count[2], 600);
    cr_assert_eq(count[1], 0, "attention layers have no B");
    cr_assert(isnan(mean[1 * MADE_WIDTH]));
    free(mean);
    free(rms);
    free(absmax);
    free(count);
}

Test(trace, router_statistics_count_the_tokens_of_each_expert)
{
    double load[MADE_EXPERTS] = {0}, weight[MADE_EXPERTS] = {0};
    write_made_trace(&made, "t.h5");
    double *stored = read_statistic("/statistics/router/load", MADE_LAYERS * MADE_EXPERTS);
    double *mean = read_statistic("/statistics/router/mean_weight", MADE_LAYERS * MADE_EXPERTS);
    for (size_t t = 0; t < 600; t++) {
        int32_t selected[MADE_CHOSEN];
        float weights[MADE_CHOSEN];
        made_choice(&made, 2, t, selected, weights);
        for (size_t k = 0; k < MADE_CHOSEN; k++) {
            load[selected[k]]++;
            weight[selected[k]] += weights[k];
        }
    }
    for (size_t e = 0; e < MADE_EXPERTS; e++) {
        assert_near(stored[2 * MADE_EXPERTS + e], load[e], 0);
        assert_near(mean[2 * MADE_EXPERTS + e], weight[e] / load[e], 1e-12);
    }
    free(stored);
    free(mean);
}

Test(trace, channel_statistics_by_hand)
{
    const float values[] = {1, -4, 3, 2, 2, NAN};
    struct lfm_channel_statistics statistics;
    double out[4];
    assert_ok(lfm_channel_statistics_init(&statistics, 2, 2, &error));
    lfm_channel_statistics_add(&statistics, 1, values, 2, 0); /* tokens {1,-4}, {3,2} */
    lfm_channel_statistics_get(&statistics, LFM_STATISTIC_MEAN, out);
    cr_assert(isnan(out[0]) && isnan(out[1]));
    assert_near(out[2], 2, 0);
    assert_near(out[3], -1, 0);
    lfm_channel_statistics_get(&statistics, LFM_STATISTIC_RMS, out);
    assert_near(out[2], sqrt(5), 1e-15);
    lfm_channel_statistics_get(&statistics, LFM_STATISTIC_ABSMAX, out);
    assert_near(out[3], 4, 0);
    lfm_channel_statistics_add(&statistics, 1, values + 4, 1, 2); /* token {2,NaN} */
    lfm_channel_statistics_get(&statistics, LFM_STATISTIC_MEAN, out);
    assert_near(out[2], 2, 0);
    cr_assert(isnan(out[3]));
    lfm_channel_statistics_get(&statistics, LFM_STATISTIC_MIN, out);
    assert_near(out[3], -4, 0);
    lfm_channel_statistics_get(&statistics, LFM_STATISTIC_MAX, out);
    assert_near(out[3], 2, 0);
    lfm_channel_statistics_release(&statistics);
}

/* Every dataset has one named scale on each of its axes, and units. */
static herr_t check_axes(hid_t file, const char *name, const H5O_info_t *information, void *context)
{
    size_t *checked = context;
    if (information->type != H5O_TYPE_DATASET) return 0;
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(dataset);
    int rank = H5Sget_simple_extent_ndims(space);
    bool texts = strncmp(name, "documents/", 10) == 0 && (strstr(name, "name") || strstr(name, "label"));
    if (H5DSis_scale(dataset) <= 0)
        for (unsigned axis = 0; axis < (unsigned)rank; axis++) {
            char label[32] = "";
            cr_assert_eq(H5DSget_num_scales(dataset, axis), 1, "%s, axis %u", name, axis);
            cr_assert(H5DSget_label(dataset, axis, label, sizeof label) > 0, "%s, axis %u", name, axis);
        }
    cr_assert(texts || H5Aexists(dataset, "units") > 0, "%s", name);
    ++*checked;
    H5Sclose(space);
    H5Dclose(dataset);
    return 0;
}

Test(trace, every_axis_has_a_scale_and_every_dataset_units)
{
    size_t checked = 0;
    made.options.logits = true;
    write_made_trace(&made, "t.h5");
    hid_t file = H5Fopen(in_directory("t.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    cr_assert(H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, check_axes, &checked) >= 0);
    cr_assert_gt(checked, 100);
    H5Fclose(file);
}

static void read_whole(const char *name, struct lfm_buffer *bytes)
{
    assert_ok(lfm_read_file(bytes, in_directory(name), &error));
}

Test(trace, same_inputs_give_the_same_bytes)
{
    struct lfm_buffer first = {0}, second = {0};
    made.options.logits = true;
    write_made_trace(&made, "t.h5");
    read_whole("t.h5", &first);
    sleep(1); /* time stamps would differ */
    write_made_trace(&made, "t.h5");
    read_whole("t.h5", &second);
    cr_assert_eq(first.length, second.length);
    cr_assert(memcmp(first.data, second.data, first.length) == 0);
    lfm_buffer_release(&first);
    lfm_buffer_release(&second);
}

/* Writes `n` tokens of the first document and then dies without closing anything. */
static void die_while_writing(size_t n)
{
    struct lfm_trace_writer *writer;
    assert_ok(lfm_trace_writer_open(&writer, in_directory("t.h5"), &made.model, &made.provenance, &made.documents,
                                    &made.options, &error));
    for (size_t t = 0; t < n; t += 10) write_made_piece(&made, writer, 0, t, 10);
    raise(SIGKILL);
}

Test(trace, a_killed_run_leaves_whole_chunks_readable)
{
    int status;
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) die_while_writing(300);
    waitpid(child, &status, 0);
    cr_assert(WIFSIGNALED(status));
    struct lfm_trace *trace = open_trace("t.h5");
    cr_assert_eq(lfm_trace_information(trace)->tokens, 256);
    cr_assert_not(lfm_trace_information(trace)->complete);
    for (size_t layer = 0; layer < MADE_LAYERS; layer++) check_point(trace, layer, LFM_POINT_RESIDUAL, 0, 256, 0);
    lfm_trace_close(trace);
}

Test(trace, an_interrupted_run_is_cut_to_the_tokens_that_every_dataset_has)
{
    struct lfm_trace_writer *writer;
    const int32_t ids[20] = {0};
    assert_ok(lfm_trace_writer_open(&writer, in_directory("t.h5"), &made.model, &made.provenance, &made.documents,
                                    &made.options, &error));
    for (size_t t = 0; t < 250; t += 50) write_made_piece(&made, writer, 0, t, 50);
    assert_ok(lfm_trace_writer_add_tokens(writer, 0, 250, ids, 20, &error));
    assert_ok(announce_made(&made, lfm_trace_writer_observer(writer), 0, LFM_POINT_OPERATOR_NORM, 250, 20, &error));
    assert_fails(lfm_trace_writer_flush(writer, &error), LFM_ERROR_MISMATCH, "270 tokens were run");
    assert_fails(lfm_trace_writer_finish(writer, true, &error), LFM_ERROR_MISMATCH, "270 tokens were run");
    assert_ok(lfm_trace_writer_finish(writer, false, &error));
    lfm_trace_writer_close(writer);
    struct lfm_trace *trace = open_trace("t.h5");
    cr_assert_eq(lfm_trace_information(trace)->tokens, 250);
    cr_assert_not(lfm_trace_information(trace)->complete);
    check_point(trace, 0, LFM_POINT_OPERATOR_NORM, 0, 250, 0);
    check_point(trace, 3, LFM_POINT_RESIDUAL, 0, 250, 0);
    lfm_trace_close(trace);
}

Test(trace, a_file_that_is_no_trace_is_not_replaced)
{
    struct lfm_trace_writer *writer;
    struct lfm_buffer bytes = {0};
    assert_ok(lfm_write_file(in_directory("model.gguf"), "weights", 7, &error));
    assert_fails(lfm_trace_writer_open(&writer, in_directory("model.gguf"), &made.model, &made.provenance,
                                       &made.documents, &made.options, &error),
                 LFM_ERROR_IO, "is not HDF5");
    read_whole("model.gguf", &bytes);
    cr_assert_str_eq(bytes.data, "weights");
    assert_fails(lfm_trace_writer_open(&writer, in_directory("none/t.h5"), &made.model, &made.provenance, &made.documents,
                                       &made.options, &error), LFM_ERROR_IO, "No such file or directory");
    assert_fails(lfm_trace_writer_open(&writer, in_directory(""), &made.model, &made.provenance, &made.documents,
                                       &made.options, &error),
                 LFM_ERROR_IO, "is a directory");
    lfm_buffer_release(&bytes);
}

/* --- files that are not what they should be --- */

static enum lfm_status try_open(const char *name)
{
    struct lfm_trace *trace = NULL;
    enum lfm_status status = lfm_trace_open(&trace, in_directory(name), &error);
    cr_assert((status == LFM_OK) == (trace != NULL));
    lfm_trace_close(trace);
    return status;
}

Test(trace, other_files_are_refused_with_a_reason)
{
    assert_fails(try_open("none.h5"), LFM_ERROR_IO, "No such file");
    assert_fails(try_open(""), LFM_ERROR_IO, "not a regular file");
    assert_ok(lfm_write_file(in_directory("text"), "hello", 5, &error));
    assert_fails(try_open("text"), LFM_ERROR_FORMAT, "is not an HDF5 file");
    hid_t file;
    assert_ok(lfm_h5_create(&file, in_directory("empty.h5"), &error));
    H5Fclose(file);
    assert_fails(try_open("empty.h5"), LFM_ERROR_FORMAT, "'header' is missing");
}

/* Changes one thing in a good trace. */
static hid_t reopen(void)
{
    write_made_trace(&made, "t.h5");
    hid_t file = H5Fopen(in_directory("t.h5"), H5F_ACC_RDWR, H5P_DEFAULT);
    cr_assert(file >= 0);
    return file;
}

static void replace_header(hid_t file, const char *text)
{
    H5Adelete(file, "header");
    assert_ok(lfm_h5_put_fixed_text(file, "header", text, "t.h5", &error));
}

static enum lfm_status try_with_header(const char *text)
{
    hid_t file = reopen();
    replace_header(file, text);
    H5Fclose(file);
    return try_open("t.h5");
}

Test(trace, another_format_or_version_is_refused)
{
    hid_t file = reopen();
    assert_ok(lfm_h5_set_whole(file, "version", 2, "t.h5", &error));
    H5Fclose(file);
    assert_fails(try_open("t.h5"), LFM_ERROR_FORMAT, "version 2, this program reads version 1");
    assert_fails(try_with_header("{\"format\": \"lfmscope-logits\"}"), LFM_ERROR_FORMAT, "expected 'lfmscope-trace'");
}

#define HEADER(config) "{\"format\": \"lfmscope-trace\", \"config\": {" config "}}"

Test(trace, headers_that_make_no_sense_are_refused)
{
    hid_t file = reopen();
    H5Adelete(file, "header");
    assert_ok(lfm_h5_put_whole(file, "header", 3, "t.h5", &error));
    H5Fclose(file);
    assert_fails(try_open("t.h5"), LFM_ERROR_FORMAT, "'header' must be a text");
    file = reopen();
    H5Adelete(file, "header");
    assert_ok(lfm_h5_put_text(file, "header", "{}", "t.h5", &error));
    H5Fclose(file);
    assert_fails(try_open("t.h5"), LFM_ERROR_FORMAT, "must be a text of fixed length");
    assert_fails(try_with_header("{\"format\": "), LFM_ERROR_FORMAT, "JSON");
    assert_fails(try_with_header("{\"format\": \"lfmscope-trace\"}"), LFM_ERROR_FORMAT,
                 "'num_hidden_layers' is missing");
    assert_fails(try_with_header(HEADER("\"num_hidden_layers\": 1e9, \"hidden_size\": 8, \"num_experts\": 6, "
                                        "\"num_experts_per_tok\": 2")),
                 LFM_ERROR_LIMIT, "num_hidden_layers is 1000000000");
    assert_fails(try_with_header(HEADER("\"num_hidden_layers\": 4, \"hidden_size\": 8, \"num_experts\": 6, "
                                        "\"num_experts_per_tok\": 7")),
                 LFM_ERROR_MISMATCH, "7 of 6 experts");
}

Test(trace, values_per_token_must_be_those_of_the_configuration)
{
    free(made.provenance.config);
    made.model.config.hidden_size = 9;
    assert_ok(lfm_config_to_json(&made.provenance.config, &made.model.config, &error));
    made.model.config.hidden_size = MADE_WIDTH;
    write_made_trace(&made, "t.h5");
    assert_fails(try_open("t.h5"), LFM_ERROR_MISMATCH, "has 8 values per token, expected 9");
}

Test(trace, datasets_that_do_not_fit_are_refused)
{
    hid_t file = reopen();
    H5Ldelete(file, "/tokens/id", H5P_DEFAULT);
    H5Fclose(file);
    assert_fails(try_open("t.h5"), LFM_ERROR_FORMAT, "'/tokens/id' is missing");

    file = reopen();
    const hsize_t longer[2] = {601, MADE_WIDTH};
    hid_t dataset = H5Dopen2(file, "/layers/02/residual", H5P_DEFAULT);
    H5Dset_extent(dataset, longer);
    H5Dclose(dataset);
    H5Fclose(file);
    assert_fails(try_open("t.h5"), LFM_ERROR_MISMATCH, "601 rows, expected 600");

    file = reopen();
    H5Ldelete(file, "/layers/02/residual", H5P_DEFAULT);
    assert_ok(lfm_h5_group(&dataset, file, "/layers/02/residual", "t.h5", &error));
    H5Gclose(dataset);
    H5Fclose(file);
    assert_fails(try_open("t.h5"), LFM_ERROR_FORMAT, "/layers/02/residual");
}

Test(trace, rows_that_exist_only_on_paper_are_refused)
{
    static const char *const columns[] = {"/tokens/id", "/tokens/document", "/tokens/position"};
    hid_t file = reopen();
    const hsize_t extent = 2000000000;
    for (size_t i = 0; i < 3; i++) {
        hid_t dataset = H5Dopen2(file, columns[i], H5P_DEFAULT);
        H5Dset_extent(dataset, &extent);
        H5Dclose(dataset);
    }
    H5Fclose(file);
    assert_fails(try_open("t.h5"), LFM_ERROR_FORMAT, "claims 2000000000 rows");
}

Test(trace, experts_outside_the_model_are_refused)
{
    int32_t selected[600 * MADE_CHOSEN];
    hid_t file = reopen();
    hid_t dataset = H5Dopen2(file, "/layers/02/router/selected", H5P_DEFAULT);
    memset(selected, 0, sizeof selected);
    selected[7] = 6;
    H5Dwrite(dataset, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, selected);
    H5Dclose(dataset);
    H5Fclose(file);
    struct lfm_trace *trace = open_trace("t.h5");
    assert_fails(lfm_trace_read_selected(trace, 2, 0, 600, selected, &error), LFM_ERROR_FORMAT,
                 "token 3 of layer 2 chose expert 6");
    lfm_trace_close(trace);
}

Test(trace, reading_beyond_the_end_is_refused)
{
    float values[MADE_WIDTH];
    write_made_trace(&made, "t.h5");
    struct lfm_trace *trace = open_trace("t.h5");
    assert_fails(lfm_trace_read(trace, 0, LFM_POINT_RESIDUAL, 600, 1, values, &error), LFM_ERROR_ARGUMENT,
                 "600 tokens");
    assert_fails(lfm_trace_read(trace, 0, LFM_POINT_RESIDUAL, SIZE_MAX, 2, values, &error), LFM_ERROR_ARGUMENT,
                 "600 tokens");
    lfm_trace_close(trace);
}

Test(trace, a_truncated_or_damaged_file_gives_an_error_and_never_a_crash)
{
    struct lfm_buffer whole = {0};
    write_made_trace(&made, "t.h5");
    read_whole("t.h5", &whole);
    for (size_t i = 0; i < 16; i++) {
        size_t length = whole.length * i / 16;
        assert_ok(lfm_write_file(in_directory("cut.h5"), whole.data, length, &error));
        cr_assert_neq(try_open("cut.h5"), LFM_OK, "%zu of %zu bytes", length, whole.length);
        cr_assert_null(strchr(error.message, '\n'));
    }
    lfm_buffer_release(&whole);
}

Test(trace, a_damaged_chunk_is_noticed_when_it_is_read)
{
    struct lfm_buffer whole = {0};
    float *values = calloc(600, MADE_WIDTH * sizeof *values);
    write_made_trace(&made, "t.h5");
    hid_t file = H5Fopen(in_directory("t.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t dataset = H5Dopen2(file, "/layers/00/residual", H5P_DEFAULT);
    haddr_t address = 0;
    hsize_t first[2] = {0, 0}, size = 0;
    unsigned filters;
    cr_assert(H5Dget_chunk_info_by_coord(dataset, first, &filters, &address, &size) >= 0);
    H5Dclose(dataset);
    H5Fclose(file);
    read_whole("t.h5", &whole);
    whole.data[address + size / 2] ^= 0x20;
    assert_ok(lfm_write_file(in_directory("bad.h5"), whole.data, whole.length, &error));
    struct lfm_trace *trace = open_trace("bad.h5");
    assert_fails(lfm_trace_read(trace, 0, LFM_POINT_RESIDUAL, 0, 600, values, &error), LFM_ERROR_FORMAT,
                 "cannot read '/layers/00/residual'");
    lfm_trace_close(trace);
    lfm_buffer_release(&whole);
    free(values);
}

/* --- runs of a real, small model --- */

static const char small_model[] = "tests/golden/model/moe-bf16";

struct small_run {
    struct lfm_model *model;
    struct lfm_documents documents;
    struct lfm_provenance provenance;
    struct lfm_trace_options options;
};

static void start_small_run(struct small_run *run)
{
    static const size_t lengths[] = {20, 13};
    *run = (struct small_run){.model = NULL};
    assert_ok(lfm_model_open(&run->model, small_model, NULL, &error));
    assert_ok(lfm_provenance_collect(&run->provenance, run->model, NULL, 0, NULL, &error));
    assert_ok(lfm_selection_parse_points(&run->options.selection, NULL, &run->model->config, &error));
    assert_ok(lfm_selection_parse_layers(&run->options.selection, NULL, &run->model->config, &error));
    run->options.logits = true;
    run->documents.items = calloc(2, sizeof *run->documents.items);
    for (size_t d = 0; d < 2; d++) {
        struct lfm_document *document = &run->documents.items[run->documents.count++];
        document->name = strdup("text");
        for (size_t t = 0; t < lengths[d]; t++)
            assert_ok(lfm_tokens_append(&document->tokens, (int32_t)((7 * t + 3 * d) % run->model->config.vocab_size),
                                        &error));
        run->documents.n_tokens += lengths[d];
    }
}

static void end_small_run(struct small_run *run)
{
    lfm_provenance_release(&run->provenance);
    lfm_documents_release(&run->documents);
    lfm_model_close(run->model);
}

/* Logits of the second document, computed directly, to be freed. */
static float *compute_logits(const struct small_run *run)
{
    size_t D = run->model->config.hidden_size, V = run->model->config.vocab_size;
    const struct lfm_tokens *tokens = &run->documents.items[1].tokens;
    struct lfm_state *state;
    float *hidden = calloc(tokens->count, D * sizeof *hidden), *logits = calloc(tokens->count, V * sizeof *logits);
    assert_ok(lfm_state_new(&state, run->model, &error));
    assert_ok(lfm_forward(run->model, state, tokens->ids, tokens->count, NULL, hidden, &error));
    assert_ok(lfm_logits(run->model, hidden, tokens->count, logits, &error));
    lfm_state_free(state);
    free(hidden);
    return logits;
}

/* /logits of the second document in a file, to be freed. */
static float *read_logits(const struct small_run *run, const char *name)
{
    size_t V = run->model->config.vocab_size, T = run->documents.n_tokens, first = run->documents.items[0].tokens.count;
    float *all = calloc(T, V * sizeof *all), *logits = calloc(T - first, V * sizeof *logits);
    hid_t file = H5Fopen(in_directory(name), H5F_ACC_RDONLY, H5P_DEFAULT);
    cr_assert(H5LTread_dataset_float(file, "/logits", all) >= 0);
    H5Fclose(file);
    memcpy(logits, all + first * V, (T - first) * V * sizeof *logits);
    free(all);
    return logits;
}

Test(trace, a_run_stores_each_document_as_a_sequence_of_its_own)
{
    struct small_run run;
    start_small_run(&run);
    assert_ok(
        lfm_trace_run(in_directory("run.h5"), run.model, &run.documents, &run.options, &run.provenance, NULL, &error));
    float *expected = compute_logits(&run), *stored = read_logits(&run, "run.h5");
    size_t n = run.documents.items[1].tokens.count * run.model->config.vocab_size;
    cr_assert_arr_eq(stored, expected, n * sizeof *expected);
    struct lfm_trace *trace = open_trace("run.h5");
    cr_assert(lfm_trace_information(trace)->complete);
    cr_assert_eq(lfm_trace_information(trace)->tokens, 33);
    cr_assert_eq(strlen(lfm_trace_information(trace)->sha256), 64);
    lfm_trace_close(trace);
    free(expected);
    free(stored);
    end_small_run(&run);
}

Test(trace, logits_appear_under_their_name_when_they_are_complete)
{
    struct small_run run;
    struct lfm_logits_writer *writer;
    int32_t id = 5;
    start_small_run(&run);
    assert_ok(lfm_logits_writer_open(&writer, in_directory("l.h5"), run.model, &run.provenance, 33, &error));
    assert_ok(lfm_logits_writer_add_tokens(writer, 0, 0, &id, 1, &error));
    lfm_logits_writer_close(writer);
    cr_assert_not(lfm_file_exists(in_directory("l.h5")));
    cr_assert_not(lfm_file_exists(in_directory("l.h5.partial")));

    assert_ok(lfm_logits_run(in_directory("l.h5"), run.model, &run.documents, &run.provenance, NULL, &error));
    float *expected = compute_logits(&run), *stored = read_logits(&run, "l.h5");
    size_t n = run.documents.items[1].tokens.count * run.model->config.vocab_size;
    cr_assert_arr_eq(stored, expected, n * sizeof *expected);
    cr_assert_not(lfm_file_exists(in_directory("l.h5.partial")));
    free(expected);
    free(stored);
    end_small_run(&run);
}

Test(trace, logits_do_not_replace_a_file_that_is_not_hdf5)
{
    struct small_run run;
    start_small_run(&run);
    assert_ok(lfm_write_file(in_directory("model.safetensors"), "weights", 7, &error));
    assert_fails(lfm_logits_run(in_directory("model.safetensors"), run.model, &run.documents, &run.provenance, NULL,
                                &error),
                 LFM_ERROR_IO, "is not HDF5");
    cr_assert_not(lfm_file_exists(in_directory("model.safetensors.partial")));
    assert_ok(lfm_logits_run(in_directory("l.h5"), run.model, &run.documents, &run.provenance, NULL, &error));
    assert_ok(lfm_logits_run(in_directory("l.h5"), run.model, &run.documents, &run.provenance, NULL, &error));
    end_small_run(&run);
}

Test(trace, documents_the_model_cannot_run_are_refused_before_a_file_is_made)
{
    struct small_run run;
    start_small_run(&run);
    run.documents.items[1].tokens.ids[4] = (int32_t)run.model->config.vocab_size;
    assert_fails(
        lfm_trace_run(in_directory("run.h5"), run.model, &run.documents, &run.options, &run.provenance, NULL, &error),
        LFM_ERROR_MISMATCH, "outside the vocabulary");
    run.documents.items[1].tokens.ids[4] = 0;
    run.model->config.max_position_embeddings = 16;
    assert_fails(
        lfm_trace_run(in_directory("run.h5"), run.model, &run.documents, &run.options, &run.provenance, NULL, &error),
        LFM_ERROR_LIMIT, "use --context to cut it");
    assert_fails(lfm_logits_run(in_directory("run.h5"), run.model, &run.documents, &run.provenance, NULL, &error),
                 LFM_ERROR_LIMIT, "the model's context is 16");
    cr_assert_null(strstr(error.message, "--context"), "logits has no such option: %s", error.message);
    cr_assert_not(lfm_file_exists(in_directory("run.h5")));
    cr_assert_eq(lfm_cut_documents(&run.documents, 16), 1);
    cr_assert_eq(run.documents.n_tokens, 29);
    assert_ok(
        lfm_trace_run(in_directory("run.h5"), run.model, &run.documents, &run.options, &run.provenance, NULL, &error));
    end_small_run(&run);
}

Test(trace, a_run_interrupted_before_its_first_token_leaves_no_file)
{
    struct small_run run;
    start_small_run(&run);
    lfm_catch_interrupts();
    raise(SIGINT);
    assert_fails(
        lfm_trace_run(in_directory("run.h5"), run.model, &run.documents, &run.options, &run.provenance, NULL, &error),
        LFM_ERROR_STOPPED, "interrupted");
    cr_assert_not(lfm_file_exists(in_directory("run.h5")));
    assert_fails(lfm_logits_run(in_directory("l.h5"), run.model, &run.documents, &run.provenance, NULL, &error),
                 LFM_ERROR_STOPPED, "interrupted");
    cr_assert_not(lfm_file_exists(in_directory("l.h5.partial")));
    end_small_run(&run);
}

Test(trace, creation_time_follows_source_date_epoch)
{
    struct small_run run;
    struct lfm_provenance provenance;
    start_small_run(&run);
    setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
    assert_ok(lfm_provenance_collect(&provenance, run.model, NULL, 0, NULL, &error));
    cr_assert_str_eq(provenance.created, "2023-11-14T22:13:20Z");
    lfm_provenance_release(&provenance);
    setenv("SOURCE_DATE_EPOCH", "yesterday", 1);
    assert_fails(lfm_provenance_collect(&provenance, run.model, NULL, 0, NULL, &error), LFM_ERROR_ARGUMENT,
                 "'yesterday'");
    lfm_provenance_release(&provenance);
    end_small_run(&run);
}
