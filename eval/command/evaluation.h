/* What `eval` was asked for, and what its parts hand to each other. */
#ifndef LFM_EVAL_COMMAND_EVALUATION_H
#define LFM_EVAL_COMMAND_EVALUATION_H

#include "eval/harness/backend.h"
#include "eval/harness/paired.h"
#include "eval/harness/runner.h"
#include "reference/base/command.h"
#include "reference/base/hash.h"
#include "reference/command/model_options.h"
#include "reference/model/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LFM_MOST_JOBS = 16 };
#define LFM_MARGIN 0.02 /* of equivalence, where none is given */

/* One of the suites, with its data. */
struct lfm_job {
    const struct lfm_suite *suite;
    char *path;                        /* owned: of the data */
    char data_sha256[LFM_SHA256_TEXT];
    void *data;                        /* as suite->open made it; NULL before */
    struct lfm_task task;
};

/* The command line. Strings are borrowed from it. */
struct lfm_evaluation {
    const char *suites, *data, *output;
    const char *model, *date;          /* the model in this process */
    struct lfm_model_arguments weights;
    size_t batch, reuse_megabytes, guesses;
    const char *endpoint, *model_name; /* the model behind a URL */
    char *shown_endpoint;              /* owned: the URL without what is secret in it */
    size_t concurrency, retries;
    bool calls_as_text;
    double timeout;
    const char *preset;                /* sampling */
    struct lfm_sampling sampling;
    size_t max_tokens;
    struct lfm_selection selection;    /* what is run */
    const char *shard;
    size_t samples;
    bool retry_failed;
    const char *against;               /* comma-separated variants, or NULL */
    double margin;
    struct lfm_job jobs[LFM_MOST_JOBS];
    size_t n_jobs;
    struct lfm_common common;
    int argc;
    char **argv;                       /* as it may be recorded */
    char *shown_argument, **shown_argv; /* owned: what argv was replaced by for the sake of the URL */
};

/* --- eval_settings.c --- */

/* The evaluation before a command line was read: what was not said can be told from what was. */
struct lfm_evaluation lfm_evaluation_unsaid(int argc, char **argv);
/* Checks the command line as a whole and fills in what was not said. The error names the first thing that does not do. */
enum lfm_status lfm_evaluation_settle(struct lfm_evaluation *evaluation, struct lfm_error *error);
void lfm_evaluation_release(struct lfm_evaluation *evaluation);
/* The command with what decides the figures of one suite and nothing else (no output, batch, threads, shard): the same
 * text for equal questions. `arguments` are the variant's. Appends to *out. */
enum lfm_status lfm_evaluation_repeats(struct lfm_buffer *out, const struct lfm_evaluation *evaluation,
                                       const struct lfm_job *job, const struct lfm_model_arguments *arguments,
                                       struct lfm_error *error);

/* --- eval_jobs.c --- */

/* "ifeval, bfcl, ...": the suites there are, for help and messages; static. */
const char *lfm_suite_names(void);
/* Fills jobs from the comma-separated names. Fails on unknown suites and on one named twice. */
enum lfm_status lfm_jobs_name(struct lfm_evaluation *evaluation, struct lfm_error *error);
/* Finds, hashes and opens the data of every suite and chooses the items. */
enum lfm_status lfm_jobs_open(struct lfm_evaluation *evaluation, struct lfm_error *error);
void lfm_jobs_close(struct lfm_evaluation *evaluation);

/* Opens the data of one suite; lfm_job_close ends it, on failure too. */
enum lfm_status lfm_job_open(struct lfm_job *job, const char *given, bool several, struct lfm_error *error);
void lfm_job_close(struct lfm_job *job);

/* --- eval_engine.c --- */

/* A backend, and the model it runs when it is in this process. */
struct lfm_engine {
    struct lfm_model *model; /* NULL behind a URL */
    struct lfm_backend backend;
};
enum lfm_status lfm_engine_open(struct lfm_engine *engine, const struct lfm_evaluation *evaluation,
                                const struct lfm_model_arguments *arguments, struct lfm_error *error);
void lfm_engine_close(struct lfm_engine *engine);

/* --- evaluation.c --- */

/* What a finished run leaves; release with the function below. */
struct lfm_evaluation_result {
    cJSON *summary; /* owned: as in summary.json */
    bool *right;    /* owned: [n_items * samples] */
};
void lfm_evaluation_result_release(struct lfm_evaluation_result *result);

/* One model among several. */
struct lfm_eval_variant {
    char *name;                        /* owned: "reference", "q8_0/q8" */
    char *directory;                   /* owned: its name in the output, "q8_0+q8" */
    struct lfm_model_arguments arguments;
};

/* Runs, or continues, every suite on one model: in the output directory, below it in one directory per suite when there
 * are several, below that in the variant's when that is not NULL. results[i] belongs to jobs[i]; all are to be released,
 * on failure too. `names` are all variants of the comparison. */
enum lfm_status lfm_evaluate(const struct lfm_evaluation *evaluation, const struct lfm_eval_variant *variant,
                             const cJSON *names, struct lfm_evaluation_result *results, struct lfm_error *error);
/* Where the runs of a suite are; the caller frees. */
enum lfm_status lfm_job_directory(char **out, const struct lfm_evaluation *evaluation, const struct lfm_job *job,
                                  struct lfm_error *error);

/* --- eval_against.c --- */

/* Runs the reference and every variant of `against`, each in a directory of its own, and writes for every suite the
 * comparison as summary.json above them. documents[i] belongs to jobs[i]; the caller deletes them. */
enum lfm_status lfm_evaluate_against(const struct lfm_evaluation *evaluation, cJSON **documents, struct lfm_error *error);

/* A variant as its run's summary describes it; everything is borrowed. */
struct lfm_variant lfm_variant_of(const char *name, const cJSON *summary, bool *right);
/* The comparison of variants[1..n-1] with variants[0], whose summary is `reference`. The caller deletes *out, on failure
 * too. */
enum lfm_status lfm_comparison(cJSON **out, const struct lfm_task *task, const struct lfm_variant *variants, size_t n,
                               double margin, const cJSON *reference, struct lfm_error *error);

/* --- eval_print.c --- */

/* A summary, or a comparison, as text. */
void lfm_print_evaluation(const cJSON *document);
/* Prints all documents, as text or, when there are several, as one JSON document with "suites". Deletes them. */
enum lfm_status lfm_print_evaluations(cJSON **documents, size_t n, const struct lfm_common *common, int argc,
                                      char **argv, struct lfm_error *error);

#endif
