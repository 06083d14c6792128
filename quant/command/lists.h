/* Lists in options: "1,8,16". For the commands of this room. */
#ifndef LFM_QUANT_COMMAND_LISTS_H
#define LFM_QUANT_COMMAND_LISTS_H

#include "reference/base/error.h"

#include <stddef.h>

/* Numbers of `text` into numbers[capacity]; `option` is its name without dashes. Fails, naming the option and the word,
 * when there are more, or one is empty or no number of its kind: whole and below 2^31, or finite. */
enum lfm_status lfm_list_sizes(size_t *numbers, size_t capacity, size_t *n, const char *option, const char *text,
                               struct lfm_error *error);
enum lfm_status lfm_list_doubles(double *numbers, size_t capacity, size_t *n, const char *option, const char *text,
                                 struct lfm_error *error);

#endif
