/* Pre-tokenizers that GGUF files name in tokenizer.ggml.pre: see tokenizer_parts.h.
 *
 * Names, patterns and defaults are those that llama.cpp gives them (src/llama-vocab.cpp). */
#include "reference/model/tokenizer_parts.h"

#include <string.h>

#define CONTRACTIONS "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
#define LAST "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define WORDS_NUMBERS(digits) "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits LAST

#define LLAMA3 CONTRACTIONS WORDS_NUMBERS("\\p{N}{1,3}")
#define QWEN2 CONTRACTIONS WORDS_NUMBERS("\\p{N}")
#define QWEN35                                                                                                       \
    CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|"  \
                 "\\s+(?!\\S)|\\s+"
#define CJK_AND_MORE "[一-龥ࠀ-一가-퟿]+"
#define KANJI_KANA "[一-龥぀-ゟ゠-ヿ]+"
#define DEEPSEEK3_WORDS                                                                                              \
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"              \
    "| ?[\\p{P}\\p{S}]+[\\r\\n]*" \
    "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
/* Letters of the scripts with upper and lower case, as deepseek-llm lists them. */
#define CASED_LETTERS \
    "[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-Ֆ" \
    "Ⴀ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗ" \
    "ὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓ" \
    "ℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭ" \
    "Ꚁ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻" \
    "𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]"
#define PUNCTUATION "[\\p{P}\\$\\+<=>\\^~\\|`]+"
#define BLOOM " ?[^(\\s|.,!?…。，、।۔،)]+"

static const struct lfm_pre pres[] = {
    {"lfm2", {LLAMA3}, true, true},
    {"llama-bpe", {LLAMA3}, true, true},
    {"llama3", {LLAMA3}, true, true},
    {"llama-v3", {LLAMA3}, true, true},
    {"falcon3", {LLAMA3}, true, true},
    {"falcon-h1", {LLAMA3}, true, true},
    {"pixtral", {LLAMA3}, true, true},
    {"smaug-bpe", {LLAMA3}, false, false},
    {"dbrx", {LLAMA3}, false, false},
    {"chatglm-bpe", {LLAMA3}, false, false},
    {"glm4", {LLAMA3}, true, false},
    {"qwen2", {QWEN2}, false, false},
    {"deepseek-r1-qwen", {QWEN2}, false, false},
    {"megrez", {QWEN2}, false, false},
    {"stablelm2", {QWEN2}, false, false},
    {"hunyuan", {QWEN2}, false, false},
    {"qwen35", {QWEN35}, false, false},
    {"gpt-2", {LFM_GPT2_PATTERN}, false, false},
    {"phi-2", {LFM_GPT2_PATTERN}, false, false},
    {"gigachat", {LFM_GPT2_PATTERN}, false, false},
    {"modern-bert", {LFM_GPT2_PATTERN}, false, false},
    {"mpt", {LFM_GPT2_PATTERN}, false, false},
    {"olmo", {LFM_GPT2_PATTERN}, false, false},
    {"jais", {LFM_GPT2_PATTERN}, false, false},
    {"trillion", {LFM_GPT2_PATTERN}, false, false},
    {"exaone4", {LFM_GPT2_PATTERN}, false, false},
    {"smollm", {"\\p{N}", LFM_GPT2_PATTERN}, false, false},
    {"starcoder", {"\\p{N}", LFM_GPT2_PATTERN}, false, false},
    {"refact", {"\\p{N}", LFM_GPT2_PATTERN}, false, false},
    {"command-r", {"\\p{N}", LFM_GPT2_PATTERN}, false, false},
    {"codeshell", {"\\p{N}", LFM_GPT2_PATTERN}, false, false},
    {"exaone", {"\\p{N}", LFM_GPT2_PATTERN}, false, false},
    {"minerva-7b", {"\\p{N}", LFM_GPT2_PATTERN}, false, false},
    {"falcon", {PUNCTUATION, LFM_GPT2_PATTERN, "[0-9][0-9][0-9]"}, false, false},
    {"default", {"[\\p{P}\\$\\+<=>\\^~\\|]+", LFM_GPT2_PATTERN, "\\p{N}+", "[0-9][0-9][0-9]"}, false, false},
    {"deepseek-llm",
     {"[\\r\\n]", "\\s?" CASED_LETTERS "+", "\\s?[!-/:-~！-／：-～‘-‟　-。]+", "\\s+\\z", CJK_AND_MORE, "\\p{N}+"}, false, false},
    {"deepseek-coder", {"[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", CJK_AND_MORE, "\\p{N}"}, false, false},
    {"deepseek-v3", {"\\p{N}{1,3}", KANJI_KANA, DEEPSEEK3_WORDS}, false, false},
    {"hunyuan-dense", {"\\p{N}{1,3}", KANJI_KANA, DEEPSEEK3_WORDS}, false, false},
    {"bloom", {BLOOM}, false, false},
    {"poro-chat", {BLOOM}, false, false},
    {"gpt3-finnish", {BLOOM}, false, false},
    {"viking", {BLOOM, "\\p{N}"}, false, false},
};

const struct lfm_pre *lfm_pre_find(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof pres / sizeof pres[0]; i++)
        if (strlen(pres[i].name) == length && memcmp(pres[i].name, name, length) == 0) return &pres[i];
    return NULL;
}

/* The same split in the words of published tokenizer.json files. */
static const struct {
    const char *pattern, *same;
} spellings[] = {
    {"(?i:'s|'t|'re|'ve|'m|'ll|'d)" WORDS_NUMBERS("\\p{N}{1,3}"), LLAMA3},
    {"'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s",
     LLAMA3},
    {"(?i:'s|'t|'re|'ve|'m|'ll|'d)" WORDS_NUMBERS("\\p{N}"), QWEN2},
    {"'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)", LFM_GPT2_PATTERN},
};

static const char *usual(const char *pattern)
{
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++)
        if (strcmp(pattern, spellings[i].pattern) == 0) return spellings[i].same;
    return pattern;
}

static bool same_patterns(const struct lfm_pre *pre, const char *const *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!pre->patterns[i] || strcmp(pre->patterns[i], usual(patterns[i])) != 0) return false;
    return count == 6 || !pre->patterns[count];
}

const char *lfm_pre_name(const char *const *patterns, size_t count, bool ignore_merges, const char *family)
{
    if (count == 0 || count > 6) return NULL;
    for (size_t i = 0; i < sizeof pres / sizeof pres[0]; i++) {
        if (pres[i].ignore_merges != ignore_merges || !same_patterns(&pres[i], patterns, count)) continue;
        if (strcmp(pres[i].name, "lfm2") == 0 && !(family && strcmp(family, "lfm2") == 0)) continue;
        return pres[i].name;
    }
    return NULL;
}
