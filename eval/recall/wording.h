/* The sentences that recall tasks are made of, in the wordings that an item can have.
 *
 * "general" is for any model: numbers to remember, and a question that says how to answer. "demo" has the phrasing that
 * the demo model was trained on (scripts/demo_model/recall.py), with values of its three kinds: numbers, a colour and a
 * thing, an invented name. Both fill up with the same plain sentences, which have no names and no numbers. */
#ifndef LFM_EVAL_RECALL_WORDING_H
#define LFM_EVAL_RECALL_WORDING_H

#include "reference/base/buffer.h"
#include "reference/base/error.h"

#include <gsl/gsl_rng.h>
#include <stdbool.h>
#include <stddef.h>

struct lfm_recall_wording {
    const char *name;
    const char *opening, *before_question; /* around the text */
    const char *needle;                    /* "{h}" is the holder, "{v}" its value */
    const char *one, *several;             /* questions; "{h}" is a list of holders */
    const char *assignment, *copy;         /* "{n}" is a variable, "{v}" its value, "{m}" the variable it copies */
    const char *variables;                 /* the question: "{n}" the last variable of a chain, "{v}" its value */
    bool asks_names;                       /* it asks for the variables of a chain, not for the value of one */
    size_t most_variables;                 /* different names there are */
    size_t longest;                        /* words of the longest needle or assignment, at most */
    enum lfm_status (*value)(struct lfm_buffer *out, gsl_rng *rng, struct lfm_error *error);
    enum lfm_status (*number)(struct lfm_buffer *out, gsl_rng *rng, struct lfm_error *error); /* of a variable */
    enum lfm_status (*variable)(struct lfm_buffer *out, gsl_rng *rng, struct lfm_error *error);
};

/* NULL when there is none of that name. */
const struct lfm_recall_wording *lfm_recall_wording_by_name(const char *name);

/* What can hold a value: "patient umbrella". There are more than 800. */
enum lfm_status lfm_recall_holder(struct lfm_buffer *out, gsl_rng *rng, struct lfm_error *error);

/* One plain sentence of about ten words. */
enum lfm_status lfm_recall_filler(struct lfm_buffer *out, gsl_rng *rng, struct lfm_error *error);

/* What stands for the letters of a wording's forms; those a form does not use may be NULL. */
struct lfm_recall_parts {
    const char *h, *v, *n, *m;
};
/* Appends the form with its parts filled in. */
enum lfm_status lfm_recall_fill(struct lfm_buffer *out, const char *form, const struct lfm_recall_parts *parts,
                                struct lfm_error *error);

#endif
