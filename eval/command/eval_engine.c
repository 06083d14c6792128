/* What answers: a model in this process, or a server. */
#include "eval/backends/endpoint.h"
#include "eval/backends/local.h"
#include "eval/command/evaluation.h"
#include "reference/model/model.h"

#include <stdlib.h>

static enum lfm_status open_local(struct lfm_engine *engine, const struct lfm_evaluation *evaluation,
                                  const struct lfm_model_arguments *arguments, struct lfm_error *error)
{
    struct lfm_progress progress;
    const struct lfm_local_options options = {
        .sampling = evaluation->sampling,
        .max_tokens = evaluation->max_tokens,
        .batch = evaluation->batch,
        .reuse_bytes = evaluation->reuse_megabytes << 20,
        .guesses = evaluation->guesses,
        .scale = arguments->weights ? arguments->scale : NULL,
        .date = evaluation->date,
        .progress = &progress,
    };
    LFM_TRY(lfm_open_model(&engine->model, evaluation->model, arguments, "quantizing", evaluation->common.quiet, error));
    lfm_progress_start(&progress, "hashing", "bytes", 0, evaluation->common.quiet);
    enum lfm_status status = lfm_local_backend_open(&engine->backend, engine->model, &options, error);
    lfm_progress_finish(&progress);
    return status;
}

/* The key is read from the environment, so that it stands in no command line, no run.json and no list of processes. */
static const char *key(void)
{
    const char *own = getenv("LFMSCOPE_API_KEY");
    return own && *own ? own : getenv("OPENAI_API_KEY");
}

static enum lfm_status open_endpoint(struct lfm_engine *engine, const struct lfm_evaluation *evaluation,
                                     struct lfm_error *error)
{
    const struct lfm_endpoint_options options = {
        .url = evaluation->endpoint,
        .model_name = evaluation->model_name,
        .key = key(),
        .sampling = evaluation->sampling,
        .max_tokens = evaluation->max_tokens,
        .concurrency = evaluation->concurrency,
        .retries = evaluation->retries,
        .timeout_seconds = evaluation->timeout,
        .calls_as_text = evaluation->calls_as_text,
    };
    return lfm_endpoint_backend_open(&engine->backend, &options, error);
}

enum lfm_status lfm_engine_open(struct lfm_engine *engine, const struct lfm_evaluation *evaluation,
                                const struct lfm_model_arguments *arguments, struct lfm_error *error)
{
    *engine = (struct lfm_engine){0};
    enum lfm_status status = evaluation->endpoint ? open_endpoint(engine, evaluation, error)
                                                  : open_local(engine, evaluation, arguments, error);
    if (status == LFM_OK) return LFM_OK;
    lfm_model_close(engine->model);
    engine->model = NULL;
    return status;
}

void lfm_engine_close(struct lfm_engine *engine)
{
    if (engine->backend.close) engine->backend.close(engine->backend.context);
    lfm_model_close(engine->model);
    *engine = (struct lfm_engine){0};
}
