/* y = W x: the one place where weights meet activations, whatever the weights' number format. */
#ifndef LFM_MODEL_LINEAR_H
#define LFM_MODEL_LINEAR_H

#include "reference/base/error.h"
#include "reference/model/activations.h"
#include "reference/model/model.h"

#include <stddef.h>

/* y[T,rows] = x[T,columns] . W[rows,columns]^T */
struct lfm_product {
    float *y;
    const struct lfm_matrix *W;
    const float *x;
    size_t T; /* may be 0 */
};

/* Computes products, x as it is or rounded as `activations` says, summed in FP32 as kernels.h states: each output is one
 * dot product summed in a fixed order that depends neither on T nor on what is computed beside it nor on the number of
 * threads. Products that do not depend on each other are best computed in one call: threads then meet only once.
 * Inputs and outputs must not overlap. */
enum lfm_status lfm_multiply(const struct lfm_product *products, size_t n_products, enum lfm_activations activations,
                             struct lfm_error *error);

/* One product. */
enum lfm_status lfm_linear(float *y, const struct lfm_matrix *W, const float *x, size_t T,
                           enum lfm_activations activations, struct lfm_error *error);

#endif
