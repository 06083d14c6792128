/* Text: cleaning what comes from files, escaping it for each output, and writing numbers for people. */
#ifndef LFM_REPORTS_TEXT_H
#define LFM_REPORTS_TEXT_H

#include "reference/base/buffer.h"
#include "reports/pool.h"

#include <stdbool.h>

/* A text under construction whose failure is sticky, checked once at the end. Zero-initialise; release the buffer. */
struct lfm_writer {
    struct lfm_buffer buffer;
    enum lfm_status status;
    struct lfm_error error;
};

void lfm_write(struct lfm_writer *writer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As HTML or XML text, also inside quoted attributes: & < > " ' become entities. */
void lfm_write_html(struct lfm_writer *writer, const char *text);
/* As Markdown text in a paragraph or a table cell: everything Markdown or HTML would interpret is escaped. */
void lfm_write_markdown(struct lfm_writer *writer, const char *text);
/* As one CSV field (RFC 4180), quoted where it must be. */
void lfm_write_csv(struct lfm_writer *writer, const char *text);
/* As a gnuplot string in single quotes, in which gnuplot expands nothing; a quote becomes an apostrophe (U+2019). */
void lfm_write_gnuplot(struct lfm_writer *writer, const char *text);
/* A number with as many digits as it needs to be read back; nothing for NaN. */
void lfm_write_number(struct lfm_writer *writer, double value);

/* A copy of `text` that is valid UTF-8 on one line: bytes that are not UTF-8, control characters and characters that
 * reorder text become U+FFFD. All text from files passes through here before anything else sees it. */
const char *lfm_clean_text(struct lfm_pool *pool, const char *text);

/* The text cut to at most `limit` characters (code points), the last one an ellipsis where something was cut. */
const char *lfm_shorten(struct lfm_pool *pool, const char *text, size_t limit);

/* Characters (code points) of a valid UTF-8 text. */
size_t lfm_text_length(const char *text);

/* How a number is written for people. NaN (a value that is not there) is an en dash in every style. */
enum lfm_number_style {
    LFM_NUMBER_PLAIN,   /* three significant digits, powers of ten below 0.001: 0.0117, 2.70×10⁻⁶ */
    LFM_NUMBER_FIXED2,  /* two decimals: 4.50 */
    LFM_NUMBER_FIXED4,  /* four decimals: 1.0037 */
    LFM_NUMBER_FIXED6,  /* six decimals: 0.999871 */
    LFM_NUMBER_PERCENT, /* a share as per cent, two decimals or more where two would read 0 or 100: 99.05 % */
    LFM_NUMBER_SCORE,   /* a share of some hundred items as per cent, one decimal: 74.2 % */
    LFM_NUMBER_POINTS,  /* a difference of shares in points, one decimal, with its sign: +3.3 */
    LFM_NUMBER_BYTES,   /* decimal units: 16.9 MB */
    LFM_NUMBER_COUNT    /* a whole number, thousands grouped: 12,288 */
};

const char *lfm_number_text(struct lfm_pool *pool, double value, enum lfm_number_style style);

/* "value ± error", both with the decimals that show two digits of the error: 1.0037 ± 0.0004, (2.70 ± 0.03)×10⁻⁶.
 * Without an error (NaN) as lfm_number_text. */
const char *lfm_number_with_error(struct lfm_pool *pool, double value, double error, enum lfm_number_style style);

/* "value [low, high]" in the style; the value alone where one of the two is NaN. */
const char *lfm_number_with_interval(struct lfm_pool *pool, double value, double low, double high,
                                     enum lfm_number_style style);

/* 10ⁿ in superscript digits. */
const char *lfm_power_of_ten(struct lfm_pool *pool, int exponent);

/* A number format's name as people write it: q8_0 -> Q8_0, fp8_e4m3 -> FP8 E4M3, f32 -> F32. Text that is no format's
 * name (lower case with a digit) is kept. */
const char *lfm_format_title(struct lfm_pool *pool, const char *weights);

/* The same of a variant, WEIGHTS[/ACTIVATIONS[/KV]]: q8_0/q8 -> Q8_0/Q8. */
const char *lfm_variant_title(struct lfm_pool *pool, const char *variant);

#endif
