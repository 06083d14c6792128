/* Byte-pair merging: see tokenizer_parts.h.
 *
 * The symbols of a piece are a linked list, the pairs that could be merged a heap ordered by rank and then position;
 * entries that no longer match the list are skipped when they come up. n characters cost O(n log n). */
#include "reference/base/memory.h"
#include "reference/model/tokenizer_parts.h"

#include <stdlib.h>
#include <string.h>

struct lfm_bpe_symbol {
    int32_t id;                 /* -1: merged into its left neighbour */
    uint32_t previous, next;    /* NONE at the ends */
};
struct lfm_bpe_candidate {
    int32_t rank, result;
    uint32_t position;          /* of the left symbol */
    int32_t left, right;        /* ids when it was found */
};

static const uint32_t NONE = UINT32_MAX;

static uint64_t hash_bytes(const char *text, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    return hash ^ hash >> 29;
}

static uint64_t hash_pair(uint64_t pair)
{
    pair *= 0x9E3779B97F4A7C15u;
    return pair ^ pair >> 32;
}

static size_t table_size(size_t count)
{
    size_t size = 16;
    while (size < 2 * count) size *= 2;
    return size;
}

enum lfm_status lfm_bpe_init(struct lfm_bpe *bpe, const struct lfm_texts *texts, size_t n_merges,
                             struct lfm_error *error)
{
    *bpe = (struct lfm_bpe){.texts = texts, .unknown_id = -1};
    if (texts->count > LFM_MAX_VOCABULARY || n_merges > LFM_MAX_VOCABULARY)
        return lfm_fail(error, LFM_ERROR_LIMIT, "a vocabulary of %zu tokens and %zu merges is beyond the limit of %d",
                        texts->count, n_merges, LFM_MAX_VOCABULARY);
    size_t n_slots = table_size(texts->count), n_pairs = table_size(n_merges);
    LFM_TRY(LFM_ALLOC(&bpe->index.slots, n_slots, error));
    LFM_TRY(LFM_ALLOC(&bpe->merges, n_pairs, error));
    for (size_t i = 0; i < n_slots; i++) bpe->index.slots[i] = -1;
    for (size_t i = 0; i < n_pairs; i++) bpe->merges[i].rank = -1;
    bpe->index.mask = n_slots - 1;
    bpe->merge_mask = n_pairs - 1;
    return LFM_OK;
}

void lfm_bpe_release(struct lfm_bpe *bpe)
{
    free(bpe->index.slots);
    free(bpe->merges);
    *bpe = (struct lfm_bpe){0};
}

/* The slot that holds this text, or the empty one where it belongs. */
static int32_t *find_slot(const struct lfm_bpe *bpe, const char *text, size_t length)
{
    for (size_t i = hash_bytes(text, length) & bpe->index.mask;; i = (i + 1) & bpe->index.mask) {
        int32_t id = bpe->index.slots[i];
        if (id < 0) return &bpe->index.slots[i];
        if (bpe->texts->lengths[id] == length && memcmp(bpe->texts->items[id], text, length) == 0)
            return &bpe->index.slots[i];
    }
}

void lfm_bpe_add_text(struct lfm_bpe *bpe, int32_t id)
{
    *find_slot(bpe, bpe->texts->items[id], bpe->texts->lengths[id]) = id;
}

int32_t lfm_bpe_find(const struct lfm_bpe *bpe, const char *text, size_t length)
{
    return *find_slot(bpe, text, length);
}

static struct lfm_merge *find_merge(const struct lfm_bpe *bpe, uint64_t pair)
{
    size_t i = hash_pair(pair) & bpe->merge_mask;
    while (bpe->merges[i].rank >= 0 && bpe->merges[i].pair != pair) i = (i + 1) & bpe->merge_mask;
    return &bpe->merges[i];
}

static uint64_t pair_of(int32_t left, int32_t right)
{
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

enum lfm_status lfm_bpe_add_merge(struct lfm_bpe *bpe, const char *left, size_t left_length, const char *right,
                                  size_t right_length, struct lfm_error *error)
{
    struct lfm_buffer whole = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_buffer_append(&whole, left, left_length, error));
    LFM_TRY_DONE(lfm_buffer_append(&whole, right, right_length, error));
    int32_t left_id = lfm_bpe_find(bpe, left, left_length), right_id = lfm_bpe_find(bpe, right, right_length);
    int32_t result = lfm_bpe_find(bpe, whole.data, whole.length);
    if (left_id < 0 || right_id < 0 || result < 0) {
        status = lfm_fail(error, LFM_ERROR_FORMAT, "merge %zu ('%.*s' and '%.*s'): %s is not in the vocabulary",
                          bpe->n_merges, (int)(left_length < 64 ? left_length : 64), left,
                          (int)(right_length < 64 ? right_length : 64), right,
                          left_id < 0    ? "the left part"
                          : right_id < 0 ? "the right part"
                                         : "the result");
        goto done;
    }
    struct lfm_merge *merge = find_merge(bpe, pair_of(left_id, right_id));
    if (merge->rank < 0 || !bpe->keep_first)
        *merge = (struct lfm_merge){pair_of(left_id, right_id), (int32_t)bpe->n_merges, result};
    bpe->n_merges++;
done:
    lfm_buffer_release(&whole);
    return status;
}

static bool before(const struct lfm_bpe_candidate *a, const struct lfm_bpe_candidate *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->position < b->position;
}

static void heap_push(struct lfm_bpe_candidate *heap, size_t *count, struct lfm_bpe_candidate item)
{
    size_t i = (*count)++;
    for (; i > 0 && before(&item, &heap[(i - 1) / 2]); i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
    heap[i] = item;
}

static struct lfm_bpe_candidate heap_pop(struct lfm_bpe_candidate *heap, size_t *count)
{
    struct lfm_bpe_candidate top = heap[0], last = heap[--*count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < *count; i = child) {
        if (child + 1 < *count && before(&heap[child + 1], &heap[child])) child++;
        if (!before(&heap[child], &last)) break;
        heap[i] = heap[child];
    }
    heap[i] = last;
    return top;
}

static void propose(const struct lfm_bpe *bpe, struct lfm_bpe_work *work, size_t *heap_count, uint32_t position)
{
    if (position == NONE || work->symbols[position].next == NONE) return;
    int32_t left = work->symbols[position].id, right = work->symbols[work->symbols[position].next].id;
    const struct lfm_merge *merge = find_merge(bpe, pair_of(left, right));
    if (merge->rank >= 0)
        heap_push(work->heap, heap_count,
                  (struct lfm_bpe_candidate){merge->rank, merge->result, position, left, right});
}

static void merge_all(const struct lfm_bpe *bpe, struct lfm_bpe_work *work, size_t n_symbols)
{
    struct lfm_bpe_symbol *symbols = work->symbols;
    size_t heap_count = 0;
    for (uint32_t i = 0; i + 1 < n_symbols; i++) propose(bpe, work, &heap_count, i);
    while (heap_count > 0) {
        struct lfm_bpe_candidate best = heap_pop(work->heap, &heap_count);
        struct lfm_bpe_symbol *left = &symbols[best.position];
        if (left->id != best.left || left->next == NONE || symbols[left->next].id != best.right) continue;
        struct lfm_bpe_symbol *right = &symbols[left->next];
        left->id = best.result;
        left->next = right->next;
        right->id = -1;
        if (left->next != NONE) symbols[left->next].previous = best.position;
        propose(bpe, work, &heap_count, left->previous);
        propose(bpe, work, &heap_count, best.position);
    }
}

/* One symbol per character; returns their number. Characters outside the vocabulary become unknown_id or nothing. */
static size_t start_symbols(const struct lfm_bpe *bpe, struct lfm_bpe_symbol *symbols, const char *piece, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length;) {
        size_t broken = 1, n = lfm_utf8_length(piece + i, length - i, &broken);
        if (n == 0) n = broken;
        int32_t id = lfm_bpe_find(bpe, piece + i, n);
        if (id < 0) id = bpe->unknown_id;
        if (id >= 0) {
            symbols[count] = (struct lfm_bpe_symbol){id, count ? (uint32_t)(count - 1) : NONE, (uint32_t)(count + 1)};
            count++;
        }
        i += n;
    }
    if (count) symbols[count - 1].next = NONE;
    return count;
}

enum lfm_status lfm_bpe_encode(const struct lfm_bpe *bpe, struct lfm_bpe_work *work, const char *piece, size_t length,
                               struct lfm_tokens *out, struct lfm_error *error)
{
    if (length == 0) return LFM_OK;
    if (bpe->ignore_merges) {
        int32_t whole = lfm_bpe_find(bpe, piece, length);
        if (whole >= 0) return lfm_tokens_append(out, whole, error);
    }
    if (length >= UINT32_MAX / 4)
        return lfm_fail(error, LFM_ERROR_LIMIT, "cannot tokenize a word of %zu bytes", length);
    LFM_TRY(LFM_GROW(&work->symbols, &work->symbol_capacity, length, error));
    LFM_TRY(LFM_GROW(&work->heap, &work->heap_capacity, 3 * length, error)); /* n pairs, and two new ones per merge */
    size_t count = start_symbols(bpe, work->symbols, piece, length);
    if (count == 0) return LFM_OK;
    merge_all(bpe, work, count);
    for (uint32_t i = 0; i != NONE; i = work->symbols[i].next)
        LFM_TRY(lfm_tokens_append(out, work->symbols[i].id, error));
    return LFM_OK;
}

void lfm_bpe_work_release(struct lfm_bpe_work *work)
{
    free(work->symbols);
    free(work->heap);
    *work = (struct lfm_bpe_work){0};
}
