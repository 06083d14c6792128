/* The command layer's tools: subcommands and options as tables, from which parsing and --help follow.
 *
 * This header is for the files that implement subcommands (`<room>/command/<name>.c`) and for lfmscope.c.
 * Nothing else prints. Results go to stdout, progress and errors to stderr. */
#ifndef LFM_BASE_COMMAND_H
#define LFM_BASE_COMMAND_H

#include "reference/base/error.h"
#include "reference/base/json.h"
#include "reference/base/progress.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lfm_exit { LFM_EXIT_OK = 0, LFM_EXIT_FAILED = 1, LFM_EXIT_USAGE = 2, LFM_EXIT_GATE = 3 };

/* Options that every command takes; the parser adds them to each table. */
struct lfm_common {
    bool json;      /* --json: one JSON document on stdout */
    bool quiet;     /* --quiet: no progress */
    size_t threads; /* --threads N: 0 is one per available core */
    uint64_t seed;  /* --seed N */
};

enum lfm_option_type {
    LFM_OPTION_FLAG,   /* bool * */
    LFM_OPTION_STRING, /* const char ** */
    LFM_OPTION_STRINGS, /* struct lfm_strings *: may be given several times */
    LFM_OPTION_SIZE,   /* size_t * */
    LFM_OPTION_DOUBLE  /* double * */
};

/* Arguments collected from a repeated option or from the positionals; the strings are argv's. */
struct lfm_strings {
    const char **items; /* owned array of borrowed strings */
    size_t count, capacity;
};

struct lfm_option {
    const char *name;    /* "max-tokens", without dashes */
    const char *value;   /* what --help calls the value: "N"; NULL for a flag */
    const char *help;    /* one line; states the default */
    enum lfm_option_type type;
    void *target;        /* holds the default before, the value after parsing */
};

/* What a command parses: its usage line and its table. `options` ends with {0}. */
struct lfm_usage {
    const char *name;      /* "perplexity" */
    const char *arguments; /* "MODEL --file F [options]" */
    const char *summary;   /* one sentence */
    const char *notes;     /* further lines for --help, or NULL */
    const struct lfm_option *options;
    size_t min_arguments, max_arguments; /* positionals */
    const char *program;   /* how a program of its own is called; NULL: "lfmscope <name>" */
};

/* Parses argv[1..] (argv[0] is the command's name) by the table. Unknown options, missing values and numbers out of
 * range are printed as one line with a hint at --help. Returns true when the command should run; otherwise
 * *exit_code is what to return: 0 after --help, 2 after an error. Applies --threads. */
bool lfm_parse_arguments(const struct lfm_usage *usage, int argc, char **argv, struct lfm_common *common,
                         struct lfm_strings *arguments, int *exit_code);
void lfm_strings_release(struct lfm_strings *strings);

/* Prints "lfmscope: <message>" on stderr. Returns LFM_EXIT_USAGE for what no run can do (LFM_ERROR_ARGUMENT), LFM_EXIT_FAILED
 * for other failures, LFM_EXIT_OK when status is LFM_OK. */
int lfm_report_status(enum lfm_status status, const struct lfm_error *error);

/* Prints a usage error ("lfmscope <command>: <message>; see ...--help") and returns LFM_EXIT_USAGE. */
int lfm_report_usage(const struct lfm_usage *usage, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints the document on stdout and deletes it. */
enum lfm_status lfm_print_document(cJSON *document, struct lfm_error *error);

enum { LFM_SHOWN = 256 };
/* What a file says, as a word of a table: on one line, and cut to the room. Returns the room. */
const char *lfm_show(char room[LFM_SHOWN], const char *text);

#endif
