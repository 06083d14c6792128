/* The results of a server: what an OpenAI-compatible endpoint tells of the model behind it. */
#ifndef LFM_EVAL_CONFORM_REMOTE_H
#define LFM_EVAL_CONFORM_REMOTE_H

#include "eval/conform/pack.h"
#include "reference/base/progress.h"

struct lfm_remote_options {
    const char *url;        /* "http://127.0.0.1:8080/v1" */
    const char *model_name; /* NULL: none is named */
    const char *key;        /* sent as bearer token and written nowhere; NULL or empty: none */
    double timeout_seconds; /* of one request; 0: none */
};

/* Asks for the greedy continuation of every prompt (POST .../completions, the prompt as token ids, temperature 0, the top
 * log-probabilities), and, when the server has them at the root of its address, for the tokens of every tokenizer case
 * (POST /tokenize) and every rendering (POST /apply-template). A server without those two gives no results for these
 * sections. Fails when the completions cannot be had, or have no log-probabilities. */
enum lfm_status lfm_results_ask(struct lfm_pack *pack, const struct lfm_remote_options *options,
                                struct lfm_progress *progress, struct lfm_error *error);

#endif
