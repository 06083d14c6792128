/* Language detection against langdetect 1.0.9 with seed 0, and its generator against Python's (scripts/golden/text.py). */
#include "eval/text/language.h"
#include "eval/text/profiles.h"
#include "eval/text/twister.h"
#include "tests/unit/text_cases.h"

static struct lfm_error error;

/* A row has languages with probabilities, or a text where langdetect raises. */
static void check_languages(const cJSON *row, double tolerance)
{
    struct lfm_span text = text_of(row, "text");
    struct lfm_language languages[LFM_MAX_LANGUAGES];
    size_t n;
    assert_ok(lfm_detect_languages(text, languages, &n, &error));
    const cJSON *expected = item_of(row, "langs"), *pair = expected->child;
    if (cJSON_IsString(expected)) {
        cr_assert(n == 0, "%zu languages, expected %s, in: %s", n, expected->valuestring, text.at);
        return;
    }
    for (size_t i = 0; i < n && pair; i++, pair = pair->next) {
        const char *code = pair->child->valuestring;
        double probability = pair->child->next->valuedouble;
        cr_assert_str_eq(languages[i].code, code, "language %zu is %s, expected %s, in: %s", i, languages[i].code, code, text.at);
        cr_assert(fabs(languages[i].probability - probability) <= tolerance * probability, "%s has %.17g, expected %.17g, in: %s", code,
                  languages[i].probability, probability, text.at);
    }
    cr_assert((int)n == cJSON_GetArraySize(expected), "%zu languages, expected %d, in: %s", n, cJSON_GetArraySize(expected), text.at);
}

static void check_rounded(const cJSON *row)
{
    check_languages(row, 1e-7); /* eight digits */
}

static void check_exact(const cJSON *row)
{
    check_languages(row, 1e-12);
}

Test(language, is_what_langdetect_detects)
{
    each_text_case(check_exact);
}

Test(language_oracle, is_what_the_oracle_has)
{
    each_oracle_case(check_rounded);
}

Test(language, is_none_in_no_text)
{
    struct lfm_language languages[LFM_MAX_LANGUAGES];
    size_t n = 1;
    assert_ok(lfm_detect_languages((struct lfm_span){0}, languages, &n, &error));
    cr_assert(n == 0, "%zu languages", n);
}

/* --- profiles --- */

Test(profiles, are_of_55_languages_in_order)
{
    cr_assert_str_eq(lfm_profile_code(0), "af");
    cr_assert_str_eq(lfm_profile_code(LFM_PROFILES - 1), "zh-tw");
    for (size_t i = 1; i < LFM_PROFILES; i++) cr_assert(strcmp(lfm_profile_code(i - 1), lfm_profile_code(i)) < 0);
}

Test(profiles, give_the_share_of_an_ngram_in_its_language)
{
    const uint32_t sharp_s[] = {0xDF};
    double probability[LFM_PROFILES];
    uint32_t gram = lfm_find_gram(sharp_s, 1);
    cr_assert(gram != LFM_NO_GRAM, "no language has the sharp s");
    lfm_gram_probabilities(gram, probability);
    size_t likeliest = 0;
    for (size_t i = 0; i < LFM_PROFILES; i++)
        if (probability[i] > probability[likeliest]) likeliest = i;
    cr_assert_str_eq(lfm_profile_code(likeliest), "de");
}

Test(profiles, lack_ngrams_that_no_language_has)
{
    const uint32_t absent[][3] = {{0}, {1, 1, 1}, {0xFFFF, 0xFFFF, 0xFFFF}, {'q', 'q', 'q'}, {0x1F600}, {'a', 0, 'b'}, {'a', 0x20000}};
    const size_t lengths[] = {1, 3, 3, 3, 1, 3, 2};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        cr_assert(lfm_find_gram(absent[i], lengths[i]) == LFM_NO_GRAM, "n-gram %zu is found", i);
}

/* --- the generator --- */

static void check_draws(const cJSON *row)
{
    static const size_t choices[] = {1, 2, 3, 7, 8, 9, 100, 4096, 12345, 1 << 20, 3000000000};
    struct lfm_twister random;
    size_t i = 0;
    lfm_twister_seed(&random, (uint32_t)item_of(row, "seed")->valuedouble);
    for (const cJSON *draw = item_of(row, "draws")->child; draw; draw = draw->next, i++) {
        const cJSON *gauss = draw->child, *uniform = gauss->next, *choice = uniform->next;
        assert_near(lfm_twister_gauss(&random), gauss->valuedouble, 1e-15);
        assert_near(lfm_twister_uniform(&random), uniform->valuedouble, 0.0);
        assert_near((double)lfm_twister_choice(&random, choices[i % 11]), choice->valuedouble, 0.0);
    }
    cr_assert(i == 165, "%zu draws", i);
}

Test(twister, draws_what_python_draws)
{
    each_row("tests/golden/text/random.jsonl", check_draws);
}
