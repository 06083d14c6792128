/* y = W x: the one place where weights meet activations, whatever the weights' number format. */
#ifndef LFM_MODEL_LINEAR_H
#define LFM_MODEL_LINEAR_H

#include "reference/base/error.h"
#include "reference/model/activations.h"
#include "reference/model/model.h"

#include <stddef.h>

/* y[T,rows] = x[T,columns] . W[rows,columns]^T, x as it is or rounded as `activations` says, summed in FP32. Each output
 * is one dot product summed in a fixed order that depends neither on T nor on the number of threads. x and y must not
 * overlap. */
enum lfm_status lfm_linear(float *y, const struct lfm_matrix *W, const float *x, size_t T,
                           enum lfm_activations activations, struct lfm_error *error);

#endif
