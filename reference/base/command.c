/* Option tables: see command.h. */
#include "reference/base/command.h"

#include "reference/base/memory.h"

#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_option(const char *name, const char *value, const char *help)
{
    char left[64];
    snprintf(left, sizeof left, "--%s%s%s", name, value ? " " : "", value ? value : "");
    printf("  %-28s %s\n", left, help);
}

static void print_help(const struct lfm_usage *usage)
{
    printf("usage: lfmscope %s %s\n\n%s\n", usage->name, usage->arguments, usage->summary);
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
    fprintf(stderr, "lfmscope %s: ", usage->name);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "; see 'lfmscope %s --help'\n", usage->name);
    return LFM_EXIT_USAGE;
}

int lfm_report_status(enum lfm_status status, const struct lfm_error *error)
{
    if (status == LFM_OK) return LFM_EXIT_OK;
    fflush(stdout);
    fprintf(stderr, "lfmscope: %s\n", error->message);
    return LFM_EXIT_FAILED;
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
    bool only_arguments = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (only_arguments || word[0] != '-' || word[1] == '\0') {
            append(arguments, word);
            continue;
        }
        if (word[1] != '-') {
            *exit_code = lfm_report_usage(usage, "unknown option '%s'", word);
            goto refuse;
        }
        if (word[2] == '\0') {
            only_arguments = true;
            continue;
        }
        const char *name = word + 2;
        size_t length = strcspn(name, "=");
        const char *value = name[length] == '=' ? name + length + 1 : NULL;
        if (length == 4 && strncmp(name, "help", 4) == 0) {
            print_help(usage);
            *exit_code = LFM_EXIT_OK;
            lfm_strings_release(arguments);
            return false;
        }
        const struct lfm_option *option = find_option(usage->options, name, length);
        if (!option) option = find_option(shared, name, length);
        if (!option) {
            *exit_code = lfm_report_usage(usage, "unknown option '--%.*s'", (int)length, name);
            goto refuse;
        }
        if (option->type == LFM_OPTION_FLAG && value) {
            *exit_code = lfm_report_usage(usage, "'--%s' takes no value", option->name);
            goto refuse;
        }
        if (option->type != LFM_OPTION_FLAG && !value) {
            if (i + 1 >= argc) {
                *exit_code = lfm_report_usage(usage, "'--%s' needs %s", option->name, kind_of(option->type));
                goto refuse;
            }
            value = argv[++i];
        }
        if (!store(option, value)) {
            *exit_code = lfm_report_usage(usage, "'--%s' needs %s, not '%s'", option->name, kind_of(option->type), value);
            goto refuse;
        }
    }
    if (arguments->count < usage->min_arguments || arguments->count > usage->max_arguments) {
        *exit_code = lfm_report_usage(usage, "%s; usage: lfmscope %s %s",
                                      arguments->count < usage->min_arguments ? "missing argument" : "too many arguments",
                                      usage->name, usage->arguments);
        goto refuse;
    }
    common->seed = seed;
    if (common->threads > 4096) {
        *exit_code = lfm_report_usage(usage, "'--threads' must be at most 4096, not %zu", common->threads);
        goto refuse;
    }
    if (common->threads > 0) omp_set_num_threads((int)common->threads);
    return true;

refuse:
    lfm_strings_release(arguments);
    return false;
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
