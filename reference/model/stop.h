/* Text that is produced piece by piece: what may be shown already, and where a stop string ends it. */
#ifndef LFM_MODEL_STOP_H
#define LFM_MODEL_STOP_H

#include "reference/base/buffer.h"
#include "reference/base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct lfm_stop {
    const char *const *strings; /* [n_strings], borrowed; none is empty */
    size_t n_strings;
    struct lfm_buffer pending;  /* held back: an unfinished character, or what may become a stop string */
    bool stopped;               /* a stop string was found; nothing follows */
};

/* Takes the next bytes and appends to *ready what is certain: valid UTF-8 (U+FFFD for what is none) in front of the
 * first stop string. The stop string itself is never given out. */
enum lfm_status lfm_stop_add(struct lfm_stop *stop, const char *bytes, size_t length, struct lfm_buffer *ready,
                             struct lfm_error *error);
/* The text is over: appends what was held back. */
enum lfm_status lfm_stop_finish(struct lfm_stop *stop, struct lfm_buffer *ready, struct lfm_error *error);
void lfm_stop_release(struct lfm_stop *stop);

#endif
