/* Language detection: see language.h. A naive Bayes estimate over n-grams drawn at random from the text, seven times, as
 * in Nakatani Shuyo's language-detection; the draws, the order of additions and the clean-up are langdetect 1.0.9's. */
#include "eval/text/language.h"
#include "eval/text/profiles.h"
#include "eval/text/tables.h"
#include "eval/text/twister.h"
#include "reference/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

enum { TRIALS = 7, LAST_DRAW = 1000, DRAWS_BETWEEN_CHECKS = 5, MAX_POINTS = 10000 };

static const double alpha_mean = 0.5, alpha_width = 0.05, base_frequency = 10000, converged = 0.99999, threshold = 0.1;

/* The text as it is cleaned, and what it yields. */
struct features {
    uint32_t *points; /* owned */
    size_t n_points, points_capacity;
    uint32_t *grams; /* owned: numbers of the n-grams that some profile has, in order of the text */
    size_t n_grams, grams_capacity;
};

/* --- clean-up --- */

static enum lfm_status replace(struct lfm_buffer *out, struct lfm_span text, const char *expression,
                               struct lfm_error *error)
{
    const struct lfm_pattern *pattern;
    LFM_TRY(lfm_pattern_constant(&pattern, expression, 0, error));
    return lfm_pattern_replace(pattern, text, " ", out, error);
}

static enum lfm_status remove_addresses(struct lfm_buffer *out, struct lfm_span text, struct lfm_error *error)
{
    struct lfm_buffer without_urls = {0};
    enum lfm_status status = replace(&without_urls, text, "https?://[-_.?&~;+=/#0-9A-Za-z]{1,2076}", error);
    struct lfm_span rest = {without_urls.data, without_urls.length};
    if (status == LFM_OK)
        status = replace(out, rest, "[-_.0-9A-Za-z]{1,64}@[-_0-9A-Za-z]{1,255}[-_.0-9A-Za-z]{1,255}", error);
    lfm_buffer_release(&without_urls);
    return status;
}

static bool is_one_of(uint32_t point, const char *points)
{
    uint8_t bytes[6];
    int length = u8_uctomb(bytes, point, sizeof bytes);
    return length > 0 && point != 0 && lfm_span_contains(lfm_span_of(points), (struct lfm_span){(const char *)bytes, (size_t)length});
}

/* The next character, a Vietnamese vowel joined with a tone mark after it. */
static uint32_t next_composed(const char **at, const char *end)
{
    uint32_t point = lfm_next_point(at, end);
    if (*at == end || !is_one_of(point, "AEIOUYaeiouyÂÊÔâêôĂăƠơƯư")) return point;
    const char *next = *at;
    uint32_t mark = lfm_next_point(&next, end);
    if (mark != 0x300 && mark != 0x301 && mark != 0x303 && mark != 0x309 && mark != 0x323) return point;
    *at = next;
    return uc_composition(point, mark);
}

/* The first characters of the text. langdetect also joins spaces here, but its n-grams skip all but the first anyway. */
static enum lfm_status read_points(struct features *features, struct lfm_span text, struct lfm_error *error)
{
    const char *at = text.at, *end = text.at + text.length;
    while (features->n_points < MAX_POINTS && at < end) {
        LFM_TRY(LFM_GROW(&features->points, &features->points_capacity, features->n_points + 1, error));
        features->points[features->n_points++] = next_composed(&at, end);
    }
    return LFM_OK;
}

/* 'A' to 'z', as langdetect has it: the marks between 'Z' and 'a' too. */
static bool is_latin(uint32_t point)
{
    return point >= 'A' && point <= 'z';
}

/* Latin letters go when the text is written in another alphabet. */
static void remove_foreign_latin(struct features *features)
{
    size_t latin = 0, other = 0, kept = 0;
    for (size_t i = 0; i < features->n_points; i++) {
        latin += is_latin(features->points[i]);
        other += features->points[i] >= 0x300;
    }
    if (latin * 2 >= other) return;
    for (size_t i = 0; i < features->n_points; i++)
        if (!is_latin(features->points[i])) features->points[kept++] = features->points[i];
    features->n_points = kept;
}

/* --- n-grams --- */

static uint32_t representative_kanji(uint32_t point)
{
    uint8_t bytes[6];
    struct lfm_span value;
    int length = u8_uctomb(bytes, point, sizeof bytes);
    struct lfm_span key = {(const char *)bytes, length > 0 ? (size_t)length : 0};
    if (!lfm_table_find(lfm_table(LFM_TABLE_KANJI), key, &value)) return point;
    return lfm_next_point(&value.at, value.at + value.length);
}

/* Characters that tell nothing about the language become spaces; scripts of one language become one character each.
 * (langdetect does so with bopomofo too, which no profile has.) */
static uint32_t normalize(uint32_t point)
{
    if (point < 0x80) return (point >= 'A' && point <= 'Z') || (point >= 'a' && point <= 'z') ? point : ' ';
    if (point == 0xA0 || point == 0xAB || point == 0xB0 || point == 0xBB) return ' ';
    if (point == 0x219) return 0x15F; /* Romanian: comma below to cedilla */
    if (point == 0x21B) return 0x163;
    if (point == 0x6CC) return 0x64A;                      /* Farsi yeh to Arabic yeh */
    if (point >= 0x1EA0 && point <= 0x1EFF) return 0x1EC3; /* Vietnamese */
    if (point >= 0x2000 && point <= 0x206F) return ' ';    /* general punctuation */
    if (point >= 0x3040 && point <= 0x309F) return 0x3042; /* hiragana */
    if (point >= 0x30A0 && point <= 0x30FF) return 0x30A2; /* katakana */
    if (point >= 0x4E00 && point <= 0x9FFF) return representative_kanji(point);
    if (point >= 0xAC00 && point <= 0xD7AF) return 0xAC00; /* hangul */
    return point;
}

static bool is_upper(uint32_t point)
{
    return uc_is_property_uppercase(point);
}

/* The last characters of a word, with the space before it. */
struct window {
    uint32_t points[LFM_MAX_GRAM];
    size_t length;
    bool capitals; /* the last two are capitals */
};

static void add_point(struct window *window, uint32_t point)
{
    uint32_t last = window->points[window->length - 1];
    if (last == ' ') {
        window->points[0] = ' ';
        window->length = 1;
        window->capitals = false;
        if (point == ' ') return;
    } else if (window->length == LFM_MAX_GRAM) {
        memmove(window->points, window->points + 1, --window->length * sizeof *window->points);
    }
    window->points[window->length++] = point;
    window->capitals = is_upper(point) && is_upper(last);
}

static enum lfm_status add_gram(struct features *features, const uint32_t *points, size_t n, struct lfm_error *error)
{
    uint32_t gram = lfm_find_gram(points, n);
    if (gram == LFM_NO_GRAM) return LFM_OK;
    LFM_TRY(LFM_GROW(&features->grams, &features->grams_capacity, features->n_grams + 1, error));
    features->grams[features->n_grams++] = gram;
    return LFM_OK;
}

static enum lfm_status read_grams(struct features *features, struct lfm_error *error)
{
    struct window window = {.points = {' '}, .length = 1};
    for (size_t i = 0; i < features->n_points; i++) {
        add_point(&window, normalize(features->points[i]));
        for (size_t n = 1; n <= window.length && !window.capitals; n++)
            LFM_TRY(add_gram(features, window.points + window.length - n, n, error));
    }
    return LFM_OK;
}

/* --- estimation --- */

static void update(double probability[LFM_PROFILES], uint32_t gram, double alpha)
{
    double of_gram[LFM_PROFILES], weight = alpha / base_frequency;
    lfm_gram_probabilities(gram, of_gram);
    for (size_t i = 0; i < LFM_PROFILES; i++) probability[i] *= weight + of_gram[i];
}

/* Makes the sum 1 and gives the largest. */
static double normalize_sum(double probability[LFM_PROFILES])
{
    double sum = 0, largest = 0;
    for (size_t i = 0; i < LFM_PROFILES; i++) sum += probability[i];
    for (size_t i = 0; i < LFM_PROFILES; i++) {
        probability[i] /= sum;
        if (largest < probability[i]) largest = probability[i];
    }
    return largest;
}

static void estimate(const struct features *features, double probability[LFM_PROFILES])
{
    struct lfm_twister random;
    lfm_twister_seed(&random, 0);
    memset(probability, 0, LFM_PROFILES * sizeof *probability);
    for (size_t trial = 0; trial < TRIALS; trial++) {
        double now[LFM_PROFILES];
        for (size_t i = 0; i < LFM_PROFILES; i++) now[i] = 1.0 / LFM_PROFILES;
        double alpha = alpha_mean + lfm_twister_gauss(&random) * alpha_width;
        for (size_t draw = 0;; draw++) {
            update(now, features->grams[lfm_twister_choice(&random, features->n_grams)], alpha);
            if (draw % DRAWS_BETWEEN_CHECKS == 0 && (normalize_sum(now) > converged || draw >= LAST_DRAW)) break;
        }
        for (size_t i = 0; i < LFM_PROFILES; i++) probability[i] += now[i] / TRIALS;
    }
}

static void put_language(struct lfm_language *language, const char *code, double probability)
{
    *language = (struct lfm_language){.probability = probability};
    snprintf(language->code, LFM_LANGUAGE_CODE, "%s", code);
}

/* Likeliest first; of equal ones, the first in the alphabet. */
static void rank(const double probability[LFM_PROFILES], struct lfm_language languages[LFM_MAX_LANGUAGES], size_t *n)
{
    for (size_t i = 0; i < LFM_PROFILES; i++) {
        if (!(probability[i] > threshold) || *n == LFM_MAX_LANGUAGES) continue;
        size_t place = (*n)++;
        for (; place > 0 && languages[place - 1].probability < probability[i]; place--) languages[place] = languages[place - 1];
        put_language(&languages[place], lfm_profile_code(i), probability[i]);
    }
    if (*n == 0) put_language(&languages[(*n)++], "unknown", 0);
}

enum lfm_status lfm_detect_languages(struct lfm_span text, struct lfm_language languages[LFM_MAX_LANGUAGES], size_t *n,
                                     struct lfm_error *error)
{
    struct features features = {0};
    struct lfm_buffer cleaned = {0};
    double probability[LFM_PROFILES];
    *n = 0;
    enum lfm_status status = remove_addresses(&cleaned, text, error);
    if (status == LFM_OK) status = read_points(&features, (struct lfm_span){cleaned.data, cleaned.length}, error);
    remove_foreign_latin(&features);
    if (status == LFM_OK) status = read_grams(&features, error);
    if (status == LFM_OK && features.n_grams > 0) {
        estimate(&features, probability);
        rank(probability, languages, n);
    }
    lfm_buffer_release(&cleaned);
    free(features.points);
    free(features.grams);
    return status;
}
