/* One recall task: see item.h. A draft collects sentences to remember and the places they are to stand at; filling
 * weaves them into the haystack; a draft whose values stand elsewhere in the text, too, is thrown away. */
#include "eval/recall/item.h"

#include "eval/harness/backend.h"
#include "eval/recall/answer.h"
#include "eval/text/python_text.h"
#include "reference/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DRAFTS = 100, MOST_DRAWS = 1000 };

/* A sentence to remember. */
struct statement {
    char *text;      /* owned */
    double place;    /* where in the haystack, from 0 to 1 */
    int rank;        /* among statements of one place, then by their order */
    size_t order;
    size_t boundary; /* sentences of the haystack before it */
};

/* A phrase and how often the text must have it. */
struct mark {
    const char *phrase; /* borrowed */
    size_t times;
};

struct sentence {
    size_t offset, length, words; /* in the draft's filler */
};

struct draft {
    const struct lfm_recall_grid *grid;
    const struct lfm_recall_cell *cell;
    struct lfm_recall_item *item;
    gsl_rng *rng;
    struct lfm_recall_texts holders, values, names;
    struct statement *statements;
    size_t n_statements, statements_capacity, statement_words;
    struct mark *marks;
    size_t n_marks, marks_capacity;
    struct lfm_buffer filler;
    struct sentence *sentences;
    size_t n_sentences, sentences_capacity, filler_words;
    struct lfm_error *error;
};

/* --- lists of texts --- */

static void release_texts(struct lfm_recall_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) free(texts->items[i]);
    free(texts->items);
    *texts = (struct lfm_recall_texts){0};
}

static enum lfm_status add_text(struct lfm_recall_texts *texts, const char *text, struct lfm_error *error)
{
    LFM_TRY(LFM_GROW(&texts->items, &texts->capacity, texts->count + 1, error));
    LFM_TRY(lfm_copy_string(&texts->items[texts->count], text, strlen(text), error));
    texts->count++;
    return LFM_OK;
}

static bool has_text(const struct lfm_recall_texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->items[i], text) == 0) return true;
    return false;
}

typedef enum lfm_status (*draw_function)(struct lfm_buffer *out, gsl_rng *rng, struct lfm_error *error);

/* Adds a text that the list does not have yet. */
static enum lfm_status draw_new(struct draft *draft, struct lfm_recall_texts *texts, draw_function draw)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = LFM_OK;
    size_t draws = 0;
    do {
        lfm_buffer_clear(&text);
        status = draw(&text, draft->rng, draft->error);
    } while (status == LFM_OK && has_text(texts, text.data) && ++draws < MOST_DRAWS);
    if (status == LFM_OK) status = add_text(texts, text.data, draft->error);
    lfm_buffer_release(&text);
    return status;
}

/* --- what is to be remembered --- */

static size_t count_words(struct lfm_span text)
{
    struct lfm_span word;
    size_t count = 0;
    while (lfm_py_next_word(&text, &word)) count++;
    return count;
}

static enum lfm_status add_statement(struct draft *draft, const char *form, const struct lfm_recall_parts *parts,
                                     double place, int rank)
{
    struct lfm_buffer text = {0};
    LFM_TRY(LFM_GROW(&draft->statements, &draft->statements_capacity, draft->n_statements + 1, draft->error));
    enum lfm_status status = lfm_recall_fill(&text, form, parts, draft->error);
    if (status != LFM_OK) {
        lfm_buffer_release(&text);
        return status;
    }
    draft->statement_words += count_words(lfm_span_of(text.data));
    draft->statements[draft->n_statements] =
        (struct statement){.text = text.data, .place = place, .rank = rank, .order = draft->n_statements};
    draft->n_statements++;
    return LFM_OK;
}

static enum lfm_status add_mark(struct draft *draft, const char *phrase, size_t times)
{
    LFM_TRY(LFM_GROW(&draft->marks, &draft->marks_capacity, draft->n_marks + 1, draft->error));
    draft->marks[draft->n_marks++] = (struct mark){phrase, times};
    return LFM_OK;
}

static double depth_of(const struct draft *draft)
{
    return (double)draft->cell->depth / 100;
}

/* Of statements that end up at one place, the placed one is first in the first half and last in the second, so that the
 * depths 0 and 100 are the very ends of the text. */
static int placed_rank(const struct draft *draft)
{
    return draft->cell->depth < 50 ? 0 : 2;
}

/* "a", "a and the b", "a, the b and the c". */
static enum lfm_status list_holders(const struct draft *draft, struct lfm_buffer *out)
{
    size_t n = draft->cell->task->asked;
    for (size_t i = 0; i < n; i++) {
        const char *before = i == 0 ? "" : i + 1 < n ? ", the " : " and the ";
        LFM_TRY(lfm_buffer_printf(out, draft->error, "%s%s", before, draft->holders.items[i]));
    }
    return LFM_OK;
}

static enum lfm_status ask_needles(struct draft *draft)
{
    const struct lfm_recall_wording *wording = draft->grid->wording;
    struct lfm_buffer holders = {0};
    enum lfm_status status = list_holders(draft, &holders);
    const struct lfm_recall_parts parts = {.h = holders.data};
    const char *form = draft->cell->task->asked == 1 ? wording->one : wording->several;
    if (status == LFM_OK) status = lfm_recall_fill(&draft->item->question, form, &parts, draft->error);
    lfm_buffer_release(&holders);
    return status;
}

/* The needles that are asked come first in the lists; the depth is the first one's, the others stand anywhere. */
static enum lfm_status draft_needles(struct draft *draft)
{
    const struct lfm_recall_wording *wording = draft->grid->wording;
    const struct lfm_recall_task *task = draft->cell->task;
    struct lfm_recall_item *item = draft->item;
    for (size_t i = 0; i < task->needles; i++) {
        LFM_TRY(draw_new(draft, &draft->holders, lfm_recall_holder));
        LFM_TRY(draw_new(draft, &draft->values, wording->value));
        const struct lfm_recall_parts parts = {.h = draft->holders.items[i], .v = draft->values.items[i]};
        double place = i == 0 ? depth_of(draft) : gsl_rng_uniform(draft->rng);
        LFM_TRY(add_statement(draft, wording->needle, &parts, place, i == 0 ? placed_rank(draft) : 1));
        LFM_TRY(add_text(i < task->asked ? &item->expected : &item->others, parts.v, draft->error));
        LFM_TRY(add_mark(draft, parts.v, 1));
    }
    return ask_needles(draft);
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Where the assignments of a chain stand, one after the other: the first chain begins at the depth. */
static void chain_places(const struct draft *draft, size_t chain, double *places, size_t n)
{
    double from = chain == 0 ? depth_of(draft) : 0;
    for (size_t i = 0; i < n; i++) places[i] = from + (1 - from) * gsl_rng_uniform(draft->rng);
    if (chain == 0) places[0] = from;
    qsort(places, n, sizeof *places, by_size);
}

static enum lfm_status add_assignment(struct draft *draft, size_t chain, size_t hop, double place)
{
    const struct lfm_recall_wording *wording = draft->grid->wording;
    size_t length = draft->cell->task->hops + 1, variable = chain * length + hop;
    const struct lfm_recall_parts parts = {
        .n = draft->names.items[variable],
        .v = draft->values.items[chain],
        .m = hop > 0 ? draft->names.items[variable - 1] : NULL,
    };
    LFM_TRY(add_statement(draft, hop > 0 ? wording->copy : wording->assignment, &parts, place,
                          chain == 0 ? placed_rank(draft) : 1));
    if (!wording->asks_names) return LFM_OK;
    LFM_TRY(add_text(chain == 0 ? &draft->item->expected : &draft->item->others, parts.n, draft->error));
    return add_mark(draft, parts.n, hop + 1 < length ? 2 : 1);
}

static enum lfm_status draft_chain(struct draft *draft, size_t chain)
{
    size_t length = draft->cell->task->hops + 1;
    const char *value = draft->values.items[chain];
    double *places;
    LFM_TRY(LFM_ALLOC(&places, length, draft->error));
    chain_places(draft, chain, places, length);
    enum lfm_status status = LFM_OK;
    for (size_t hop = 0; hop < length && status == LFM_OK; hop++)
        status = add_assignment(draft, chain, hop, places[hop]);
    free(places);
    LFM_TRY(status);
    if (!draft->grid->wording->asks_names)
        LFM_TRY(add_text(chain == 0 ? &draft->item->expected : &draft->item->others, value, draft->error));
    return add_mark(draft, value, 1);
}

static enum lfm_status draft_variables(struct draft *draft)
{
    const struct lfm_recall_wording *wording = draft->grid->wording;
    const struct lfm_recall_task *task = draft->cell->task;
    for (size_t i = 0; i < task->chains * (task->hops + 1); i++)
        LFM_TRY(draw_new(draft, &draft->names, wording->variable));
    for (size_t i = 0; i < task->chains; i++) LFM_TRY(draw_new(draft, &draft->values, wording->number));
    for (size_t i = 0; i < task->chains; i++) LFM_TRY(draft_chain(draft, i));
    const struct lfm_recall_parts parts = {.n = draft->names.items[task->hops], .v = draft->values.items[0]};
    return lfm_recall_fill(&draft->item->question, wording->variables, &parts, draft->error);
}

/* --- the haystack --- */

/* Appends a sentence on one line, single spaces between its words. */
static enum lfm_status append_sentence(struct draft *draft, struct lfm_span sentence, size_t *words)
{
    struct lfm_span word;
    *words = 0;
    while (lfm_py_next_word(&sentence, &word)) {
        if (*words > 0) LFM_TRY(lfm_buffer_puts(&draft->filler, " ", draft->error));
        LFM_TRY(lfm_buffer_append(&draft->filler, word.at, word.length, draft->error));
        ++*words;
    }
    return LFM_OK;
}

static enum lfm_status generate_sentence(struct draft *draft, size_t *words)
{
    size_t start = draft->filler.length;
    LFM_TRY(lfm_recall_filler(&draft->filler, draft->rng, draft->error));
    const struct lfm_span text = {draft->filler.data + start, draft->filler.length - start};
    *words = count_words(text);
    return LFM_OK;
}

/* Sentences until the next one would not fit: generated, or those of the file from a random one on, round and round. */
static enum lfm_status fill_haystack(struct draft *draft)
{
    const struct lfm_spans *given = &draft->grid->sentences;
    size_t room = lfm_recall_words(draft->grid, draft->cell->length) - draft->statement_words;
    size_t next = given->count ? gsl_rng_uniform_int(draft->rng, given->count) : 0;
    for (;;) {
        struct sentence sentence = {.offset = draft->filler.length};
        if (given->count == 0) LFM_TRY(generate_sentence(draft, &sentence.words));
        else LFM_TRY(append_sentence(draft, given->items[next++ % given->count], &sentence.words));
        if (draft->filler_words + sentence.words > room) return LFM_OK;
        sentence.length = draft->filler.length - sentence.offset;
        LFM_TRY(LFM_GROW(&draft->sentences, &draft->sentences_capacity, draft->n_sentences + 1, draft->error));
        draft->sentences[draft->n_sentences++] = sentence;
        draft->filler_words += sentence.words;
    }
}

/* The boundary between sentences that is nearest to a place; the earlier one of two. */
static size_t boundary_at(const struct draft *draft, double place)
{
    double wanted = place * (double)draft->filler_words, before = 0;
    for (size_t i = 0; i < draft->n_sentences; i++) {
        double after = before + (double)draft->sentences[i].words;
        if (wanted - before <= after - wanted) return i;
        before = after;
    }
    return draft->n_sentences;
}

static int by_place(const void *left, const void *right)
{
    const struct statement *a = left, *b = right;
    if (a->boundary != b->boundary) return a->boundary < b->boundary ? -1 : 1;
    if (a->rank != b->rank) return a->rank - b->rank;
    return a->order < b->order ? -1 : a->order > b->order;
}

static enum lfm_status append(struct draft *draft, const char *text, size_t length, size_t words)
{
    struct lfm_recall_item *item = draft->item;
    if (item->text.length > 0) LFM_TRY(lfm_buffer_puts(&item->text, " ", draft->error));
    item->words += words;
    return lfm_buffer_append(&item->text, text, length, draft->error);
}

static enum lfm_status weave(struct draft *draft)
{
    size_t next = 0;
    for (size_t i = 0; i < draft->n_statements; i++)
        draft->statements[i].boundary = boundary_at(draft, draft->statements[i].place);
    qsort(draft->statements, draft->n_statements, sizeof *draft->statements, by_place);
    for (size_t i = 0; i <= draft->n_sentences; i++) {
        for (; next < draft->n_statements && draft->statements[next].boundary == i; next++) {
            const struct statement *statement = &draft->statements[next];
            if (statement->order == 0) draft->item->place = draft->item->words;
            LFM_TRY(append(draft, statement->text, strlen(statement->text),
                           count_words(lfm_span_of(statement->text))));
        }
        if (i == draft->n_sentences) break;
        const struct sentence *sentence = &draft->sentences[i];
        LFM_TRY(append(draft, draft->filler.data + sentence->offset, sentence->length, sentence->words));
    }
    return LFM_OK;
}

/* --- drafts --- */

/* What is marked stands in the text as often as it should, and no value that is expected in the question. */
static enum lfm_status check_marks(const struct draft *draft, bool *sound)
{
    struct lfm_buffer text = {0}, phrase = {0};
    enum lfm_status status = lfm_recall_normalise(&text, draft->item->text.data, draft->error);
    *sound = true;
    for (size_t i = 0; i < draft->n_marks && *sound && status == LFM_OK; i++) {
        lfm_buffer_clear(&phrase);
        status = lfm_recall_normalise(&phrase, draft->marks[i].phrase, draft->error);
        if (status == LFM_OK) *sound = lfm_recall_occurrences(text.data, phrase.data) == draft->marks[i].times;
    }
    lfm_buffer_release(&text);
    lfm_buffer_release(&phrase);
    return status;
}

static enum lfm_status check_question(const struct draft *draft, bool *sound)
{
    struct lfm_recall_score score = {0};
    LFM_TRY(lfm_recall_item_score(&score, draft->item, draft->item->question.data, draft->error));
    for (size_t i = 0; i < draft->item->expected.count; i++) *sound = *sound && !score.found[i];
    lfm_recall_score_release(&score);
    return LFM_OK;
}

static enum lfm_status write_draft(struct draft *draft, bool *sound)
{
    bool variables = draft->cell->task->kind == LFM_RECALL_VARIABLES;
    LFM_TRY(variables ? draft_variables(draft) : draft_needles(draft));
    LFM_TRY(fill_haystack(draft));
    LFM_TRY(weave(draft));
    LFM_TRY(check_marks(draft, sound));
    return check_question(draft, sound);
}

static void release_draft(struct draft *draft)
{
    for (size_t i = 0; i < draft->n_statements; i++) free(draft->statements[i].text);
    free(draft->statements);
    free(draft->marks);
    free(draft->sentences);
    release_texts(&draft->holders);
    release_texts(&draft->values);
    release_texts(&draft->names);
    lfm_buffer_release(&draft->filler);
}

enum lfm_status lfm_recall_item_make(struct lfm_recall_item *item, const struct lfm_recall_grid *grid,
                                     const struct lfm_recall_cell *cell, const char *id, struct lfm_error *error)
{
    uint64_t seed;
    bool sound = false;
    *item = (struct lfm_recall_item){0};
    LFM_TRY(lfm_request_seed(&seed, grid->seed, id, 0, 0, error));
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    if (!rng) return lfm_fail(error, LFM_ERROR_MEMORY, "cannot make item '%s': out of memory", id);
    gsl_rng_set(rng, (unsigned long)(seed & 0xffffffff));
    enum lfm_status status = LFM_OK;
    for (int i = 0; i < MOST_DRAFTS && !sound && status == LFM_OK; i++) {
        struct draft draft = {.grid = grid, .cell = cell, .item = item, .rng = rng, .error = error};
        lfm_recall_item_release(item);
        status = write_draft(&draft, &sound);
        release_draft(&draft);
    }
    gsl_rng_free(rng);
    if (status == LFM_OK && !sound)
        status = lfm_fail(error, LFM_ERROR_LIMIT, "item '%s': no values found that stand in the text only once", id);
    if (status != LFM_OK) lfm_recall_item_release(item);
    return status;
}

void lfm_recall_item_release(struct lfm_recall_item *item)
{
    lfm_buffer_release(&item->text);
    lfm_buffer_release(&item->question);
    release_texts(&item->expected);
    release_texts(&item->others);
    *item = (struct lfm_recall_item){0};
}

enum lfm_status lfm_recall_item_prompt(struct lfm_buffer *out, const struct lfm_recall_item *item,
                                       const struct lfm_recall_wording *wording, struct lfm_error *error)
{
    LFM_TRY(lfm_buffer_puts(out, wording->opening, error));
    LFM_TRY(lfm_buffer_append(out, item->text.data, item->text.length, error));
    LFM_TRY(lfm_buffer_puts(out, wording->before_question, error));
    return lfm_buffer_puts(out, item->question.data, error);
}

/* --- scoring --- */

static enum lfm_status find_texts(bool *found, const struct lfm_recall_texts *texts, const char *answer,
                                  struct lfm_error *error)
{
    struct lfm_buffer phrase = {0};
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; i < texts->count && status == LFM_OK; i++) {
        lfm_buffer_clear(&phrase);
        status = lfm_recall_normalise(&phrase, texts->items[i], error);
        if (status == LFM_OK) found[i] = lfm_recall_occurrences(answer, phrase.data) > 0;
    }
    lfm_buffer_release(&phrase);
    return status;
}

enum lfm_status lfm_recall_item_score(struct lfm_recall_score *score, const struct lfm_recall_item *item,
                                      const char *answer, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    *score = (struct lfm_recall_score){.correct = true};
    enum lfm_status status = LFM_ALLOC(&score->found, item->expected.count, error);
    if (status == LFM_OK) status = LFM_ALLOC(&score->wrong, item->others.count, error);
    if (status == LFM_OK) status = lfm_recall_normalise(&text, answer, error);
    if (status == LFM_OK) status = find_texts(score->found, &item->expected, text.data, error);
    if (status == LFM_OK) status = find_texts(score->wrong, &item->others, text.data, error);
    lfm_buffer_release(&text);
    if (status != LFM_OK) {
        lfm_recall_score_release(score);
        return status;
    }
    for (size_t i = 0; i < item->expected.count; i++) score->correct = score->correct && score->found[i];
    for (size_t i = 0; i < item->others.count; i++) score->correct = score->correct && !score->wrong[i];
    return LFM_OK;
}

void lfm_recall_score_release(struct lfm_recall_score *score)
{
    free(score->found);
    free(score->wrong);
    *score = (struct lfm_recall_score){0};
}
