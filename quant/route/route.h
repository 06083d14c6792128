/* The route of a text: one HTML page in which each token shows its experts by layer. It needs nothing else, neither network
 * nor server.
 *
 * Tokens, names and labels are text that nobody has checked. They reach the page as JSON in a block that is never executed,
 * and its script places them as text (reference/base/page.h). */
#ifndef LFM_QUANT_ROUTE_ROUTE_H
#define LFM_QUANT_ROUTE_ROUTE_H

#include "reference/base/buffer.h"
#include "reference/base/error.h"
#include "reference/model/tokenizer.h"
#include "reference/trace/reader.h"

#include <stddef.h>

enum { LFM_ROUTE_MOST_TOKENS = 20000 }; /* on one page; of longer traces it has the beginning, and says so */

/* Writes the page, whole or not at all, of n traces of one text; the first is the reference. Of traces of different length
 * it has what all have. tokenizer may be NULL: tokens are ids then. Equal traces give equal pages. */
enum lfm_status lfm_route_write(const struct lfm_trace *const *traces, size_t n, const struct lfm_tokenizer *tokenizer,
                                const char *path, struct lfm_error *error);

/* Appends the page's data: one JSON document in which nothing can end or open an HTML element. quant/route/README.md
 * names its members. */
enum lfm_status lfm_route_data(struct lfm_buffer *out, const struct lfm_trace *const *traces, size_t n,
                               const struct lfm_tokenizer *tokenizer, struct lfm_error *error);

#endif
