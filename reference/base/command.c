/* Option tables: see command.h. */
#include "reference/base/command.h"

#include "reference/base/memory.h"
#include "reference/base/utf8.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 4096 };

static void print_option(const char *name, const char *value, const char *help)
{
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", name, value ? " " : "", value ? value : "");
    printf("  %-28s %s\n", left, help);
}

enum { MAX_CALLED = 64 };

/* "lfmscope perplexity" */
static const char *called(char text[MAX_CALLED], const struct lfm_usage *usage)
{
    if (usage->program) snprintf(text, MAX_CALLED, "%s", usage->program);
    else snprintf(text, MAX_CALLED, "lfmscope %s", usage->name);
    return text;
}

static void print_help(const struct lfm_usage *usage)
{
    char name[MAX_CALLED];
    printf("usage: %s %s\n\n%s\n", called(name, usage), usage->arguments, usage->summary);
    if (usage->options->name) printf("\noptions:\n");
    for (const struct lfm_option *option = usage->options; option->name; option++)
        print_option(option->name, option->value, option->help);
    printf("\neverywhere:\n");
    print_option("json", NULL, "print one JSON document on stdout");
    print_option("threads", "N", "threads to use (one per available core)");
    print_option("seed", "N", "seed of everything random (0)");
    print_option("quiet", NULL, "no progress on stderr");
    print_option("help", NULL, "this text");
    if (usage->notes) printf("\n%s\n", usage->notes);
}

int lfm_report_usage(const struct lfm_usage *usage, const char *format, ...)
{
    char name[MAX_CALLED];
    fprintf(stderr, "%s: ", called(name, usage));
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "; see '%s --help'\n", name);
    return LFM_EXIT_USAGE;
}

int lfm_report_status(enum lfm_status status, const struct lfm_error *error)
{
    if (status == LFM_OK) return LFM_EXIT_OK;
    fflush(stdout);
    fprintf(stderr, "lfmscope: %s\n", error->message);
    return status == LFM_ERROR_ARGUMENT ? LFM_EXIT_USAGE : LFM_EXIT_FAILED;
}

static bool parse_whole(const char *text, uint64_t *out)
{
    if (text[0] < '0' || text[0] > '9') return false;
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || *end) return false;
    *out = value;
    return true;
}

static bool parse_real(const char *text, double *out)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (errno || end == text || *end || !isfinite(value)) return false;
    *out = value;
    return true;
}

static bool append(struct lfm_strings *strings, const char *text)
{
    if (LFM_GROW(&strings->items, &strings->capacity, strings->count + 1, NULL) != LFM_OK) return false;
    strings->items[strings->count++] = text;
    return true;
}

void lfm_strings_release(struct lfm_strings *strings)
{
    free(strings->items);
    *strings = (struct lfm_strings){0};
}

static bool store(const struct lfm_option *option, const char *text)
{
    uint64_t whole;
    switch (option->type) {
    case LFM_OPTION_FLAG: *(bool *)option->target = true; return true;
    case LFM_OPTION_STRING: *(const char **)option->target = text; return true;
    case LFM_OPTION_STRINGS: return append(option->target, text);
    case LFM_OPTION_DOUBLE: return parse_real(text, option->target);
    case LFM_OPTION_SIZE:
        if (!parse_whole(text, &whole) || whole > SIZE_MAX) return false;
        *(size_t *)option->target = (size_t)whole;
        return true;
    }
    return false;
}

static const struct lfm_option *find_option(const struct lfm_option *options, const char *name, size_t length)
{
    for (; options->name; options++)
        if (strlen(options->name) == length && memcmp(options->name, name, length) == 0) return options;
    return NULL;
}

static const char *kind_of(enum lfm_option_type type)
{
    return type == LFM_OPTION_SIZE ? "a whole number" : type == LFM_OPTION_DOUBLE ? "a number" : "a value";
}

/* Takes the option argv[*i], which starts with "--", and its value. Returns false with *exit_code set when there is
 * nothing to run. */
static bool parse_option(const struct lfm_usage *usage, const struct lfm_option *shared, int argc, char **argv, int *i,
                         int *exit_code)
{
    const char *name = argv[*i] + 2;
    size_t length = strcspn(name, "=");
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    *exit_code = LFM_EXIT_OK;
    if (strcmp(name, "help") == 0) {
        print_help(usage);
        return false;
    }
    const struct lfm_option *option = find_option(usage->options, name, length);
    if (!option) option = find_option(shared, name, length);
    if (!option)
        *exit_code = lfm_report_usage(usage, "unknown option '--%.*s'", (int)length, name);
    else if (option->type == LFM_OPTION_FLAG && value)
        *exit_code = lfm_report_usage(usage, "'--%s' takes no value", option->name);
    else if (option->type != LFM_OPTION_FLAG && !value && *i + 1 >= argc)
        *exit_code = lfm_report_usage(usage, "'--%s' needs %s", option->name, kind_of(option->type));
    if (*exit_code != LFM_EXIT_OK) return false;

    if (option->type != LFM_OPTION_FLAG && !value) value = argv[++*i];
    if (store(option, value)) return true;
    *exit_code = lfm_report_usage(usage, "'--%s' needs %s, not '%s'", option->name, kind_of(option->type), value);
    return false;
}

static bool check_counts(const struct lfm_usage *usage, const struct lfm_common *common,
                         const struct lfm_strings *arguments, int *exit_code)
{
    const char *complaint = NULL;
    char name[MAX_CALLED];
    if (arguments->count < usage->min_arguments) complaint = "missing argument";
    if (arguments->count > usage->max_arguments) complaint = "too many arguments";
    if (complaint)
        *exit_code = lfm_report_usage(usage, "%s; usage: %s %s", complaint, called(name, usage), usage->arguments);
    else if (common->threads > MAX_THREADS)
        *exit_code = lfm_report_usage(usage, "'--threads' must be at most %d, not %zu", MAX_THREADS, common->threads);
    else
        return true;
    return false;
}

bool lfm_parse_arguments(const struct lfm_usage *usage, int argc, char **argv, struct lfm_common *common,
                         struct lfm_strings *arguments, int *exit_code)
{
    size_t seed = 0;
    *common = (struct lfm_common){0};
    *arguments = (struct lfm_strings){0};
    const struct lfm_option shared[] = {
        {"json", NULL, NULL, LFM_OPTION_FLAG, &common->json},
        {"quiet", NULL, NULL, LFM_OPTION_FLAG, &common->quiet},
        {"threads", "N", NULL, LFM_OPTION_SIZE, &common->threads},
        {"seed", "N", NULL, LFM_OPTION_SIZE, &seed},
        {0},
    };
    bool run = true, only_arguments = false;
    for (int i = 1; i < argc && run; i++) {
        const char *word = argv[i];
        if (only_arguments || word[0] != '-' || word[1] == '\0') {
            append(arguments, word);
        } else if (strcmp(word, "--") == 0) {
            only_arguments = true;
        } else if (word[1] == '-') {
            run = parse_option(usage, shared, argc, argv, &i, exit_code);
        } else {
            *exit_code = lfm_report_usage(usage, "unknown option '%s'", word);
            run = false;
        }
    }
    if (!run || !check_counts(usage, common, arguments, exit_code)) {
        lfm_strings_release(arguments);
        return false;
    }
    common->seed = seed;
    if (common->threads > 0) omp_set_num_threads((int)common->threads);
    return true;
}

enum lfm_status lfm_print_document(cJSON *document, struct lfm_error *error)
{
    struct lfm_buffer text = {0};
    enum lfm_status status = lfm_json_print(&text, document, error);
    cJSON_Delete(document);
    if (status == LFM_OK && (fwrite(text.data, 1, text.length, stdout) != text.length || fflush(stdout) != 0))
        status = lfm_fail(error, LFM_ERROR_IO, "cannot write to standard output: %s", strerror(errno));
    lfm_buffer_release(&text);
    return status;
}

const char *lfm_show(char room[LFM_SHOWN], const char *text)
{
    snprintf(room, LFM_SHOWN, "%s", text);
    room[lfm_utf8_complete(room, strlen(room))] = '\0';
    lfm_keep_to_one_line(room);
    return room;
}
