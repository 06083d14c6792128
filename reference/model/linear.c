/* Matrix times activations: see linear.h.
 *
 * All products of a call are cut into tasks of some rows each, which the threads take one after another: a thread that
 * loses its core holds up one task, not its share of every matrix. A task decodes a panel of rows to FP32 and multiplies it
 * with all tokens; for few tokens, for integer products, and where FP32 is stored, the kernels work on the stored rows. */
#include "reference/model/linear.h"

#include "reference/base/memory.h"
#include "reference/base/team.h"
#include "reference/checkpoint/encode.h"
#include "reference/model/kernels.h"
#include "reference/model/lanes.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORTH_SHARING = 1 << 18, /* products below which waking other threads takes longer than it saves */
    LEAST_TASK = 1 << 17,    /* weights of one task, about */
    MOST_TASK = 1 << 19,
    TASKS_PER_THREAD = 16,   /* within these bounds, so that a thread that falls behind keeps the others waiting for little */
    PANEL_FLOATS = 1 << 16,  /* decoded weights that stay in the second-level cache */
    ROW_UNIT = 16,           /* tasks and panels are cut at multiples of this many rows */
    ROUNDED = 512,           /* activations that are rounded to q8 at a time */
    SAME_LINES = 1024,       /* rows of a multiple of this many floats all want the same lines of the first-level cache */
};

/* The input of a product as the kernels want it: rows of n elements. */
struct input {
    size_t n;
    const float *x;        /* [T,n] */
    float *owned;          /* what of it was made here */
    struct lfm_q8_rows q8; /* set instead of x for integer products */
};

/* One product with what its tasks need. */
struct work {
    const struct lfm_product *product;
    const struct lfm_format_kernels *kernels; /* NULL: none for this format */
    const struct input *input;
    bool in_place; /* the stored rows are FP32 as `multiply` of the kernels wants them */
    size_t task_rows, first_task;
};

static size_t round_up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

/* --- inputs --- */

static bool is_integer_product(const struct lfm_product *product, enum lfm_activations activations)
{
    return activations == LFM_ACTIVATIONS_Q8 && product->W->format->group > 0;
}

/* codes[n] without the offset of the unsigned ones, and the sums of every LFM_Q8_HALF of them. */
LFM_CLONES
static void centre_codes(int8_t *restrict codes, float *restrict half_sums, const uint8_t *unsigned_codes, size_t n, int zero)
{
    for (size_t i = 0; i < n; i++) codes[i] = (int8_t)(unsigned_codes[i] - zero);
    for (size_t half = 0; half < n / LFM_Q8_HALF; half++) {
        int32_t sum = 0;
        for (size_t i = 0; i < LFM_Q8_HALF; i++) sum += codes[half * LFM_Q8_HALF + i];
        half_sums[half] = (float)sum;
    }
}

/* Elements first .. first + n - 1 of x as q8_0 rounds them; n is at most ROUNDED and a multiple of LFM_Q8_BLOCK. */
static void round_some(const struct lfm_q8_rows *q8, const float *x, size_t first, size_t n, const struct lfm_format *q8_0)
{
    uint8_t blocks[2 * ROUNDED], unsigned_codes[ROUNDED];
    q8_0->encode_row(blocks, x + first, n);
    q8_0->unpack_row(unsigned_codes, q8->scales + first / LFM_Q8_BLOCK, NULL, blocks, n);
    float *sums = q8->sums + first / LFM_Q8_BLOCK, *half_sums = q8->half_sums + first / LFM_Q8_HALF;
    centre_codes(q8->codes + first, half_sums, unsigned_codes, n, q8_0->zero);
    for (size_t b = 0; b < n / LFM_Q8_BLOCK; b++) sums[b] = half_sums[2 * b] + half_sums[2 * b + 1];
}

static enum lfm_status round_to_q8(struct lfm_q8_rows *q8, const float *x, size_t T, size_t n, struct lfm_error *error)
{
    const struct lfm_format *q8_0 = lfm_format_by_name("q8_0");
    size_t all = T * n;
    *q8 = (struct lfm_q8_rows){.T = T, .n = n};
    LFM_TRY(LFM_ALLOC(&q8->codes, all, error));
    LFM_TRY(LFM_ALLOC(&q8->scales, all / LFM_Q8_BLOCK, error));
    LFM_TRY(LFM_ALLOC(&q8->sums, all / LFM_Q8_BLOCK, error));
    LFM_TRY(LFM_ALLOC(&q8->half_sums, all / LFM_Q8_HALF, error));
#pragma omp parallel for schedule(static) if (all > WORTH_SHARING)
    for (size_t first = 0; first < all; first += ROUNDED)
        round_some(q8, x, first, all - first < ROUNDED ? all - first : ROUNDED, q8_0);
    return LFM_OK;
}

/* x[T,n] = what is left of it in q8 */
static void restore_from_q8(float *x, const struct lfm_q8_rows *q8)
{
    for (size_t i = 0; i < q8->T * q8->n; i++) x[i] = q8->scales[i / LFM_Q8_BLOCK] * (float)q8->codes[i];
}

static void release_q8(struct lfm_q8_rows *q8)
{
    free(q8->codes);
    free(q8->scales);
    free(q8->sums);
    free(q8->half_sums);
    *q8 = (struct lfm_q8_rows){0};
}

/* Rounds each row of x[T,n] to E4M3 under a scale of its own. */
static enum lfm_status round_to_fp8(float *x, size_t T, size_t n, struct lfm_error *error)
{
    const struct lfm_format *fp8 = lfm_format_by_name("fp8_e4m3");
    uint8_t *codes;
    LFM_TRY(LFM_ALLOC(&codes, n, error));
    for (size_t t = 0; t < T; t++) {
        float *row = x + t * n, scale = lfm_group_scale(row, n, fp8->scaled_max);
        for (size_t i = 0; i < n; i++) row[i] /= scale;
        fp8->encode_row(codes, row, n);
        fp8->decode_row(row, codes, n);
        for (size_t i = 0; i < n; i++) row[i] *= scale;
    }
    free(codes);
    return LFM_OK;
}

static enum lfm_status copy_rows(struct input *input, const float *x, size_t T, size_t columns, struct lfm_error *error)
{
    LFM_TRY(LFM_ALLOC(&input->owned, T * input->n, error));
#pragma omp parallel for schedule(static) if (T * columns > WORTH_SHARING)
    for (size_t t = 0; t < T; t++) memcpy(input->owned + t * input->n, x + t * columns, columns * sizeof *x);
    input->x = input->owned;
    return LFM_OK;
}

/* Makes the input of a product: rows are padded with zeros to whole vectors, and further where many of them would get in
 * each other's way, and rounded as asked. */
static enum lfm_status make_input(struct input *input, const struct lfm_product *product, enum lfm_activations activations,
                                  struct lfm_error *error)
{
    size_t T = product->T, columns = product->W->columns;
    size_t unit = activations == LFM_ACTIVATIONS_Q8 ? LFM_Q8_BLOCK : LFM_LANES;
    *input = (struct input){.n = round_up(columns, unit), .x = product->x};
    if (T == 0) return LFM_OK;
    if (is_integer_product(product, activations)) return round_to_q8(&input->q8, product->x, T, columns, error);
    if (T > LFM_MOST_DIRECT && input->n % SAME_LINES == 0) input->n += LFM_Q8_BLOCK;
    if (activations == LFM_ACTIVATIONS_F32 && input->n == columns) return LFM_OK;

    LFM_TRY(copy_rows(input, product->x, T, columns, error));
    if (activations == LFM_ACTIVATIONS_FP8) return round_to_fp8(input->owned, T, input->n, error);
    if (activations == LFM_ACTIVATIONS_F32) return LFM_OK;
    enum lfm_status status = round_to_q8(&input->q8, input->owned, T, input->n, error);
    if (status == LFM_OK) restore_from_q8(input->owned, &input->q8);
    release_q8(&input->q8);
    return status;
}

/* Products with the same input share it when they are neighbours. */
static bool same_input(const struct lfm_product *a, const struct lfm_product *b, enum lfm_activations activations)
{
    return a->x == b->x && a->T == b->T && a->W->columns == b->W->columns &&
           is_integer_product(a, activations) == is_integer_product(b, activations);
}

/* --- tasks --- */

/* What linear.c keeps during a call. */
struct job {
    const struct lfm_kernels *kernels;
    struct work *works; /* [n_works] */
    size_t n_works;
    uint32_t n_tasks;
    struct input *inputs; /* [n_inputs] */
    size_t n_inputs;
    uint8_t *scratch; /* scratch_bytes for every thread */
    size_t scratch_bytes;
};

static size_t panel_rows(const struct work *work)
{
    size_t rows = PANEL_FLOATS / work->product->W->columns / ROW_UNIT * ROW_UNIT;
    if (rows > work->task_rows) return work->task_rows;
    return rows < ROW_UNIT ? ROW_UNIT : rows;
}

static bool is_in_place(const struct lfm_matrix *W, size_t n)
{
    return strcmp(W->format->name, "f32") == 0 && W->columns == n && (uintptr_t)W->data % sizeof(float) == 0;
}

/* Whether the kernels multiply the rows as they are stored. */
static bool is_direct(const struct work *work)
{
    const struct lfm_matrix *W = work->product->W;
    return work->kernels && work->kernels->multiply_stored && !W->scales && work->product->T <= LFM_MOST_DIRECT &&
           W->columns % LFM_Q8_BLOCK == 0;
}

static size_t scratch_of(const struct work *work)
{
    size_t n = work->input->n;
    if (work->input->q8.codes) return lfm_q8_scratch_bytes(work->product->T, n);
    if (is_direct(work) || work->in_place) return 0;
    return panel_rows(work) * n * sizeof(float);
}

/* panel[n_rows,n] = rows first .. first + n_rows - 1, padded with zeros as the input is. */
static void fill_panel(float *panel, const struct work *work, size_t first, size_t n_rows)
{
    const struct lfm_matrix *W = work->product->W;
    size_t n = work->input->n, columns = W->columns;
    lfm_matrix_decode_rows(W, first, n_rows, panel, n);
    for (size_t r = 0; columns < n && r < n_rows; r++) memset(panel + r * n + columns, 0, (n - columns) * sizeof *panel);
}

/* Rows first .. first + n_rows - 1 by way of FP32. */
static void multiply_panels(const struct job *job, const struct work *work, size_t first, size_t n_rows, float *panel)
{
    const struct lfm_product *product = work->product;
    size_t n = work->input->n, most = panel_rows(work);
    for (size_t r = first, end = first + n_rows, rows; r < end; r += rows) {
        rows = end - r < most ? end - r : most;
        const float *w = work->in_place ? (const float *)product->W->data + r * n : panel;
        if (!work->in_place) fill_panel(panel, work, r, rows);
        job->kernels->multiply(product->y + r, product->W->rows, w, rows, work->input->x, product->T, n);
    }
}

/* The rows of a task, from row `first` on. */
static void run_rows(const struct job *job, const struct work *work, size_t first, void *scratch)
{
    const struct lfm_product *product = work->product;
    const struct lfm_matrix *W = product->W;
    const struct input *input = work->input;
    size_t n_rows = W->rows - first < work->task_rows ? W->rows - first : work->task_rows;
    const uint8_t *rows = (const uint8_t *)W->data + first * W->row_bytes;
    float *y = product->y + first;

    if (input->q8.codes) {
        if (work->kernels && work->kernels->multiply_q8)
            work->kernels->multiply_q8(y, W->rows, rows, W->row_bytes, n_rows, &input->q8, scratch);
        else
            job->kernels->multiply_q8(y, W->rows, W->format, rows, W->row_bytes, n_rows, &input->q8, scratch);
        return;
    }
    if (is_direct(work))
        work->kernels->multiply_stored(y, W->rows, rows, W->row_bytes, n_rows, input->x, product->T, input->n);
    else
        multiply_panels(job, work, first, n_rows, scratch);
}

static const struct work *work_of_task(const struct job *job, size_t task)
{
    size_t low = 0, high = job->n_works;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (job->works[middle].first_task <= task)
            low = middle;
        else
            high = middle;
    }
    return &job->works[low];
}

static void run_task(void *context, size_t task, size_t thread)
{
    const struct job *job = context;
    const struct work *work = work_of_task(job, task);
    run_rows(job, work, (task - work->first_task) * work->task_rows, job->scratch + thread * job->scratch_bytes);
}

/* Weights of one task. Its first rows are not fetched ahead of time: as few tasks as keep all threads busy. */
static size_t task_elements(const struct lfm_product *products, size_t n_products)
{
    size_t weights = 0;
    for (size_t i = 0; i < n_products; i++)
        if (products[i].T > 0) weights += products[i].W->rows * products[i].W->columns;
    size_t elements = weights / ((size_t)omp_get_max_threads() * TASKS_PER_THREAD);
    if (elements < LEAST_TASK) return LEAST_TASK;
    return elements < MOST_TASK ? elements : MOST_TASK;
}

/* Lists the work of the products that have any, and their inputs; returns the number of single multiplications. */
static enum lfm_status plan(struct job *job, const struct lfm_product *products, size_t n_products,
                            enum lfm_activations activations, size_t *effort, struct lfm_error *error)
{
    const struct lfm_product *before = NULL;
    size_t elements = task_elements(products, n_products);
    *effort = 0;
    LFM_TRY(LFM_ALLOC(&job->works, n_products, error));
    LFM_TRY(LFM_ALLOC(&job->inputs, n_products, error));
    for (const struct lfm_product *product = products; product < products + n_products; product++) {
        const struct lfm_matrix *W = product->W;
        if (product->T == 0 || W->rows == 0) continue;
        if (!before || !same_input(before, product, activations))
            LFM_TRY(make_input(&job->inputs[job->n_inputs++], product, activations, error));
        before = product;
        const struct input *input = &job->inputs[job->n_inputs - 1];
        size_t rows = elements / W->columns + 1;
        struct work *work = &job->works[job->n_works++];
        *work = (struct work){product, lfm_format_kernels(job->kernels, W->format), input, is_in_place(W, input->n),
                              round_up(rows < W->rows ? rows : W->rows, ROW_UNIT), job->n_tasks};
        job->n_tasks += (uint32_t)((W->rows + work->task_rows - 1) / work->task_rows);
        size_t scratch = round_up(scratch_of(work), 64);
        if (scratch > job->scratch_bytes) job->scratch_bytes = scratch;
        *effort += product->T * W->rows * W->columns;
    }
    return LFM_OK;
}

static void release_job(struct job *job)
{
    for (size_t i = 0; i < job->n_inputs; i++) {
        free(job->inputs[i].owned);
        release_q8(&job->inputs[i].q8);
    }
    free(job->inputs);
    free(job->works);
    free(job->scratch);
}

enum lfm_status lfm_multiply(const struct lfm_product *products, size_t n_products, enum lfm_activations activations,
                             struct lfm_error *error)
{
    struct job job = {.kernels = lfm_kernels()};
    size_t effort;
    enum lfm_status status = plan(&job, products, n_products, activations, &effort, error);
    if (status == LFM_OK)
        status = lfm_alloc((void **)&job.scratch, (size_t)omp_get_max_threads(), job.scratch_bytes, error);
    if (status == LFM_OK) lfm_run_tasks(job.n_tasks, effort > WORTH_SHARING, run_task, &job);
    release_job(&job);
    return status;
}

enum lfm_status lfm_linear(float *y, const struct lfm_matrix *W, const float *x, size_t T,
                           enum lfm_activations activations, struct lfm_error *error)
{
    const struct lfm_product product = {y, W, x, T};
    return lfm_multiply(&product, 1, activations, error);
}
