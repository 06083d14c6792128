/* The CANDIDATE argument: see candidate.h. */
#include "quant/command/candidate.h"

#include "quant/compare.h"
#include "reference/base/file.h"

#include <string.h>

static bool exists(const char *path)
{
    return lfm_file_exists(path) || lfm_is_directory(path);
}

enum lfm_status lfm_open_candidate(struct lfm_model **model, const char **name, const char *word,
                                   const struct lfm_model *reference, const char *reference_path,
                                   const struct lfm_model_arguments *arguments, bool quiet, struct lfm_error *error)
{
    bool is_path = exists(word);
    struct lfm_model_arguments variant = *arguments;
    variant.weights = NULL;
    *model = NULL;
    if (!is_path && lfm_model_variant_parse(&variant, word, arguments, error) != LFM_OK)
        return lfm_fail_in(error, "candidate '%s' is neither a file nor a type", word);
    LFM_TRY(lfm_open_model(model, is_path ? word : reference_path, &variant, word, quiet, error));
    *name = is_path ? (*model)->checkpoint->name : strchr(word, '/') ? word : (*model)->weights;
    return lfm_check_comparable(reference, *model, error);
}
