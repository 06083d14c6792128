/* Option tables: what is accepted, what is refused and with which words. */
#include "reference/base/command.h"
#include "tests/unit/assert.h"

#include <criterion/redirect.h>
#include <omp.h>

static struct {
    bool flag;
    const char *text;
    struct lfm_strings texts;
    size_t size;
    double number;
} got;

static const struct lfm_option options[] = {
    {"special", NULL, "a flag", LFM_OPTION_FLAG, &got.flag},
    {"file", "F", "a text", LFM_OPTION_STRING, &got.text},
    {"stop", "S", "several texts", LFM_OPTION_STRINGS, &got.texts},
    {"context", "N", "a size (512)", LFM_OPTION_SIZE, &got.size},
    {"temperature", "X", "a number (0)", LFM_OPTION_DOUBLE, &got.number},
    {0},
};

static const struct lfm_usage usage = {
    .name = "test", .arguments = "MODEL [options]", .summary = "Tests.", .options = options,
    .min_arguments = 1, .max_arguments = 2,
};

static struct lfm_common common;
static struct lfm_strings arguments;
static int exit_code;

static bool parse(int argc, const char *const *argv)
{
    char *words[16];
    got.flag = false;
    got.text = NULL;
    got.size = 512;
    got.number = 0;
    exit_code = -1;
    for (int i = 0; i < argc; i++) words[i] = (char *)(uintptr_t)argv[i];
    return lfm_parse_arguments(&usage, argc, words, &common, &arguments, &exit_code);
}

#define PARSE(...) \
    parse((int)(sizeof((const char *[]){"test", __VA_ARGS__}) / sizeof(char *)), (const char *[]){"test", __VA_ARGS__})

static void release(void)
{
    lfm_strings_release(&arguments);
    lfm_strings_release(&got.texts);
}

TestSuite(command, .init = cr_redirect_stderr, .fini = release);

static void assert_refused(bool run, const char *complaint)
{
    cr_assert(!run);
    cr_assert_eq(exit_code, LFM_EXIT_USAGE);
    char expected[256];
    snprintf(expected, sizeof expected, "lfmscope test: %s; see 'lfmscope test --help'\n", complaint);
    fflush(stderr);
    cr_assert_stderr_eq_str(expected);
}

Test(command, options_of_every_type_are_stored)
{
    cr_assert(PARSE("model", "--special", "--file", "text", "--context", "64", "--temperature", "-0.5", "--json", "--quiet",
                    "--seed", "18446744073709551615", "--stop", "a", "--stop=b"));
    cr_assert(got.flag);
    cr_assert_str_eq(got.text, "text");
    cr_assert_eq(got.size, 64);
    assert_near(got.number, -0.5, 0);
    cr_assert(common.json && common.quiet);
    cr_assert_eq(common.seed, UINT64_MAX);
    cr_assert_eq(got.texts.count, 2);
    cr_assert_str_eq(got.texts.items[1], "b");
    cr_assert_eq(arguments.count, 1);
    cr_assert_str_eq(arguments.items[0], "model");
}

Test(command, values_may_follow_an_equals_sign_and_be_empty_or_contain_one)
{
    cr_assert(PARSE("model", "--file="));
    cr_assert_str_eq(got.text, "");
    release();
    cr_assert(PARSE("model", "--file=a=b"));
    cr_assert_str_eq(got.text, "a=b");
}

Test(command, after_two_dashes_everything_is_an_argument)
{
    cr_assert(PARSE("--", "--file", "-x"));
    cr_assert_eq(arguments.count, 2);
    cr_assert_str_eq(arguments.items[0], "--file");
}

Test(command, a_single_dash_is_an_argument)
{
    cr_assert(PARSE("-"));
    cr_assert_str_eq(arguments.items[0], "-");
}

Test(command, threads_are_applied)
{
    cr_assert(PARSE("model", "--threads", "3"));
    cr_assert_eq(common.threads, 3);
    cr_assert_eq(omp_get_max_threads(), 3);
}

Test(command, unknown_options_are_refused)
{
    assert_refused(PARSE("model", "--speical"), "unknown option '--speical'");
}

Test(command, short_options_are_refused)
{
    assert_refused(PARSE("model", "-x"), "unknown option '-x'");
}

Test(command, the_beginning_of_an_option_is_not_the_option)
{
    assert_refused(PARSE("model", "--spec"), "unknown option '--spec'");
}

Test(command, a_missing_value_is_refused)
{
    assert_refused(PARSE("model", "--context"), "'--context' needs a whole number");
}

Test(command, a_flag_takes_no_value)
{
    assert_refused(PARSE("model", "--special=yes"), "'--special' takes no value");
}

Test(command, sizes_must_be_whole_numbers_in_range)
{
    const char *refused[] = {"-1", "+1", " 1", "1 ", "1.5", "0x10", "", "abc", "18446744073709551616", "1e3"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        cr_assert(!PARSE("model", "--context", refused[i]), "'%s' was accepted", refused[i]);
        cr_assert_eq(exit_code, LFM_EXIT_USAGE);
        cr_assert_eq(got.size, 512, "'%s' changed the value", refused[i]);
    }
}

Test(command, numbers_must_be_finite_and_complete)
{
    const char *refused[] = {"", "x", "1x", "nan", "inf", "-inf", "1e999"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        cr_assert(!PARSE("model", "--temperature", refused[i]), "'%s' was accepted", refused[i]);
}

Test(command, too_few_arguments_are_refused)
{
    assert_refused(PARSE("--special"), "missing argument; usage: lfmscope test MODEL [options]");
}

Test(command, too_many_arguments_are_refused)
{
    assert_refused(PARSE("a", "b", "c"), "too many arguments; usage: lfmscope test MODEL [options]");
}

Test(command, a_thousand_million_threads_are_refused)
{
    assert_refused(PARSE("model", "--threads", "1000000000"), "'--threads' must be at most 4096, not 1000000000");
}

Test(command, failures_are_one_line_on_stderr)
{
    struct lfm_error error = {LFM_ERROR_IO, "cannot open 'x'"};
    cr_assert_eq(lfm_report_status(LFM_ERROR_IO, &error), LFM_EXIT_FAILED);
    fflush(stderr);
    cr_assert_stderr_eq_str("lfmscope: cannot open 'x'\n");
}

Test(command, help_names_every_option_and_asks_for_nothing_else)
{
    cr_redirect_stdout();
    cr_assert(!PARSE("--help", "--unknown"));
    cr_assert_eq(exit_code, LFM_EXIT_OK);
    fflush(stdout);
    FILE *output = cr_get_redirected_stdout();
    char text[4096];
    size_t length = fread(text, 1, sizeof text - 1, output);
    text[length] = '\0';
    const char *parts[] = {"usage: lfmscope test MODEL [options]", "--special", "--file F", "--stop S", "--context N",
                           "--temperature X", "--json", "--threads N", "--seed N", "--quiet", "--help"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        cr_assert_not_null(strstr(text, parts[i]), "--help lacks '%s'", parts[i]);
}
