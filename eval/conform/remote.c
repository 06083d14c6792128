#include "eval/conform/remote.h"
enum lfm_status lfm_results_ask(struct lfm_pack *pack, const struct lfm_remote_options *options,
                                struct lfm_progress *progress, struct lfm_error *error)
{
    (void)pack; (void)options; (void)progress;
    return lfm_fail(error, LFM_ERROR_ARGUMENT, "not yet");
}
