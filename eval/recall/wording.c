/* The sentences of recall tasks: see wording.h. */
#include "eval/recall/wording.h"

#include "eval/recall/words.h"

#include <ctype.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PICK(rng, array) ((array)[gsl_rng_uniform_int((rng), COUNT(array))])

static enum lfm_status whole_number(struct lfm_buffer *out, gsl_rng *rng, unsigned long low, unsigned long high,
                                    struct lfm_error *error)
{
    return lfm_buffer_printf(out, error, "%lu", low + gsl_rng_uniform_int(rng, high - low + 1));
}

static enum lfm_status seven_digits(struct lfm_buffer *out, gsl_rng *rng, struct lfm_error *error)
{
    return whole_number(out, rng, 1000000, 9999999, error);
}

static enum lfm_status five_digits(struct lfm_buffer *out, gsl_rng *rng, struct lfm_error *error)
{
    return whole_number(out, rng, 10000, 99999, error);
}

static enum lfm_status three_digits(struct lfm_buffer *out, gsl_rng *rng, struct lfm_error *error)
{
    return whole_number(out, rng, 100, 999, error);
}

/* Consonants alone, so that a name is no word. */
static enum lfm_status five_letters(struct lfm_buffer *out, gsl_rng *rng, struct lfm_error *error)
{
    static const char letters[] = "BCDFGHJKLMNPQRSTVWXZ";
    char name[6] = "";
    for (size_t i = 0; i < 5; i++) name[i] = letters[gsl_rng_uniform_int(rng, sizeof letters - 1)];
    return lfm_buffer_puts(out, name, error);
}

static const char single_letters[] = "ABCDEFGHKLMNPRSTUVWXYZ";

static enum lfm_status one_letter(struct lfm_buffer *out, gsl_rng *rng, struct lfm_error *error)
{
    return lfm_buffer_printf(out, error, "%c", single_letters[gsl_rng_uniform_int(rng, sizeof single_letters - 1)]);
}

static enum lfm_status invented_name(struct lfm_buffer *out, gsl_rng *rng, struct lfm_error *error)
{
    size_t start = out->length;
    const char *parts[] = {PICK(rng, onsets), PICK(rng, vowels), PICK(rng, onsets), PICK(rng, vowels),
                           PICK(rng, codas)};
    for (size_t i = 0; i < COUNT(parts); i++) LFM_TRY(lfm_buffer_puts(out, parts[i], error));
    out->data[start] = (char)toupper((unsigned char)out->data[start]);
    return LFM_OK;
}

static enum lfm_status secret(struct lfm_buffer *out, gsl_rng *rng, struct lfm_error *error)
{
    switch (gsl_rng_uniform_int(rng, 3)) {
    case 0: return whole_number(out, rng, 1000, 9999, error);
    case 1: {
        const char *colour = PICK(rng, colours), *noun = PICK(rng, nouns);
        return lfm_buffer_printf(out, error, "%s %s", colour, noun);
    }
    default: return invented_name(out, rng, error);
    }
}

static const struct lfm_recall_wording wordings[] = {
    {
        .name = "demo",
        .opening = "Read the text and answer the question.\n",
        .before_question = "\n",
        .needle = "The code of the {h} is {v}.",
        .one = "What is the code of the {h}?",
        .several = "What are the codes of the {h}?",
        .assignment = "Variable {n} is {v}.",
        .copy = "Variable {n} is equal to variable {m}.",
        .variables = "What is the value of variable {n}?",
        .most_variables = sizeof single_letters - 1,
        .longest = 9,
        .value = secret,
        .number = three_digits,
        .variable = one_letter,
    },
    {
        .name = "general",
        .opening = "Read the text below. A question about it follows the text.\n\n",
        .before_question = "\n\nQuestion: ",
        .needle = "The access code of the {h} is {v}.",
        .one = "What is the access code of the {h}? Answer with the code alone.",
        .several = "What are the access codes of the {h}? Answer with the codes alone, in this order.",
        .assignment = "Variable {n} is set to {v}.",
        .copy = "Variable {n} is set to the value of variable {m}.",
        .variables = "Which variables have the value {v}? Answer with the names of all of them, and no others.",
        .asks_names = true,
        .most_variables = 1000,
        .longest = 10,
        .value = seven_digits,
        .number = five_digits,
        .variable = five_letters,
    },
};

const struct lfm_recall_wording *lfm_recall_wording_by_name(const char *name)
{
    for (size_t i = 0; i < COUNT(wordings); i++)
        if (strcmp(wordings[i].name, name) == 0) return &wordings[i];
    return NULL;
}

enum lfm_status lfm_recall_holder(struct lfm_buffer *out, gsl_rng *rng, struct lfm_error *error)
{
    const char *adjective = PICK(rng, adjectives), *object = PICK(rng, objects);
    return lfm_buffer_printf(out, error, "%s %s", adjective, object);
}

static enum lfm_status with_article(struct lfm_buffer *out, const char *article, const char *word,
                                    struct lfm_error *error)
{
    bool vowel = strchr("aeiou", word[0]) || strcmp(word, "honest") == 0;
    return lfm_buffer_printf(out, error, "%s%s %s", article, vowel ? "n" : "", word);
}

static enum lfm_status filler_word(struct lfm_buffer *out, char kind, gsl_rng *rng, struct lfm_error *error)
{
    switch (kind) {
    case 'a': return lfm_buffer_puts(out, PICK(rng, adjectives), error);
    case 'A': return with_article(out, "a", PICK(rng, adjectives), error);
    case 'd': return lfm_buffer_puts(out, PICK(rng, days), error);
    case 'e': return lfm_buffer_puts(out, PICK(rng, adverbs), error);
    case 'i': return lfm_buffer_puts(out, PICK(rng, animals), error);
    case 'J': return with_article(out, "A", PICK(rng, professions), error);
    case 'n': return lfm_buffer_puts(out, PICK(rng, nouns), error);
    case 'p': return lfm_buffer_puts(out, PICK(rng, places), error);
    case 's': return lfm_buffer_puts(out, PICK(rng, seasons), error);
    case 'v': return lfm_buffer_puts(out, PICK(rng, verbs_past), error);
    default: return lfm_buffer_puts(out, PICK(rng, weather), error);
    }
}

enum lfm_status lfm_recall_filler(struct lfm_buffer *out, gsl_rng *rng, struct lfm_error *error)
{
    static const char *const forms[] = {
        "The {a} {n} stood near the {p}.",   "In {s}, the {p} was {a} and {a}.", "{J} {v} the {n} {e}.",
        "The {w} came {e} over the {p}.",    "Nobody {v} the {a} {n} on {d}.",
        "Near the {p} lay {A} {n}, and the {i} slept.",
    };
    for (const char *at = PICK(rng, forms); *at;) {
        size_t plain = strcspn(at, "{");
        LFM_TRY(lfm_buffer_append(out, at, plain, error));
        at += plain;
        if (!*at) break;
        LFM_TRY(filler_word(out, at[1], rng, error));
        at += 3;
    }
    return LFM_OK;
}

static const char *part_of(const struct lfm_recall_parts *parts, char letter)
{
    return letter == 'h' ? parts->h : letter == 'v' ? parts->v : letter == 'n' ? parts->n : parts->m;
}

enum lfm_status lfm_recall_fill(struct lfm_buffer *out, const char *form, const struct lfm_recall_parts *parts,
                                struct lfm_error *error)
{
    while (*form) {
        size_t plain = strcspn(form, "{");
        LFM_TRY(lfm_buffer_append(out, form, plain, error));
        form += plain;
        if (!*form) break;
        LFM_TRY(lfm_buffer_puts(out, part_of(parts, form[1]), error));
        form += 3;
    }
    return LFM_OK;
}
