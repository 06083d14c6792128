/* Names of the ways to represent activations. */
#include "reference/model/activations.h"

#include <string.h>

static const char *const names[LFM_N_ACTIVATIONS] = {"f32", "q8", "fp8"};

const char *lfm_activations_name(enum lfm_activations activations)
{
    return names[activations];
}

bool lfm_activations_by_name(const char *name, enum lfm_activations *activations)
{
    for (int i = 0; i < LFM_N_ACTIVATIONS; i++) {
        if (strcmp(names[i], name) != 0) continue;
        *activations = (enum lfm_activations)i;
        return true;
    }
    return false;
}
