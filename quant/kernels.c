/* The sets of kernels, and which one this processor gets: see reference/model/kernels.h. */
#include "quant/kernels/kernels.h"

#include "reference/base/buffer.h"

#include <stdlib.h>
#include <string.h>

const struct lfm_kernels *const lfm_kernel_sets[] = {
#ifdef __x86_64__
    &lfm_avx512_kernels,
    &lfm_avx2_kernels,
#endif
#ifdef __aarch64__
    &lfm_neon_kernels,
#endif
    &lfm_plain_kernels,
    NULL,
};

static const struct lfm_kernels *choose(void)
{
    const char *wanted = getenv("LFMSCOPE_KERNELS");
    const struct lfm_kernels *const *best = lfm_kernel_sets;
    while (!(*best)->supported()) best++;
    for (const struct lfm_kernels *const *set = best; wanted && *set; set++)
        if (strcmp((*set)->name, wanted) == 0 && (*set)->supported()) return *set;
    return *best;
}

enum lfm_status lfm_kernels_check(struct lfm_error *error)
{
    const char *wanted = getenv("LFMSCOPE_KERNELS");
    struct lfm_buffer names = {0};
    enum lfm_status status = LFM_OK;
    if (!wanted || strcmp(choose()->name, wanted) == 0) return LFM_OK;
    for (const struct lfm_kernels *const *set = lfm_kernel_sets; *set && status == LFM_OK; set++)
        if ((*set)->supported()) status = lfm_buffer_printf(&names, error, "%s%s", names.length > 0 ? ", " : "", (*set)->name);
    if (status == LFM_OK)
        status = lfm_fail(error, LFM_ERROR_ARGUMENT, "LFMSCOPE_KERNELS is '%s'; this processor runs %s", wanted, names.data);
    lfm_buffer_release(&names);
    return status;
}

const struct lfm_kernels *lfm_kernels(void)
{
    static const struct lfm_kernels *chosen;
    const struct lfm_kernels *kernels = __atomic_load_n(&chosen, __ATOMIC_RELAXED);
    if (kernels) return kernels;
    kernels = choose();
    __atomic_store_n(&chosen, kernels, __ATOMIC_RELAXED);
    return kernels;
}

const struct lfm_format_kernels *lfm_format_kernels(const struct lfm_kernels *kernels, const struct lfm_format *format)
{
    for (const struct lfm_format_kernels *row = kernels->formats; row->format; row++)
        if (strcmp(row->format, format->name) == 0) return row;
    return NULL;
}
