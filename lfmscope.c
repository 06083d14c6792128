/* lfmscope: the command. One line per subcommand, nothing else. */
#include "eval/command/commands.h"
#include "quant/command/commands.h"
#include "reference/base/command.h"
#include "reference/base/threads.h"
#include "reference/base/version.h"
#include "reference/command/commands.h"
#include "reference/model/kernels.h"
#include "reports/command/commands.h"

#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"info", lfm_command_info, "configuration, parameters, tensors by type, memory plan"},
    {"tokenize", lfm_command_tokenize, "token ids and pieces of a text"},
    {"generate", lfm_command_generate, "continues a prompt or a conversation"},
    {"logits", lfm_command_logits, "logits of a token sequence, to HDF5"},
    {"trace", lfm_command_trace, "activations and router decisions of a text, to HDF5"},
    {"perplexity", lfm_command_perplexity, "token NLL and perplexity of a text"},
    {"quantize", lfm_command_quantize, "writes the model in another number format"},
    {"compare", lfm_command_compare, "distances between a reference and candidates, or between two traces"},
    {"ledger", lfm_command_ledger, "how much of a loss is changed routing, how much arithmetic"},
    {"attribute", lfm_command_attribute, "which layers, kinds of matrices, tensors or experts a loss comes from"},
    {"routing", lfm_command_routing, "expert statistics of traces, agreement between them"},
    {"eval", lfm_command_eval, "runs a suite of tasks on a model and scores the answers"},
    {"score", lfm_command_score, "verdicts for recorded responses, as the official scorer gives them"},
    {"merge", lfm_command_merge, "joins shards of an evaluation into one run"},
    {"pack", lfm_command_pack, "a conformance pack: what other runtimes must reproduce"},
    {"conform", lfm_command_conform, "holds another runtime's results, or a server, against a pack"},
    {"bench", lfm_command_bench, "prefill and decode rates, and the share of the machine's bandwidth they reach"},
    {"view", lfm_command_view, "a page to browse the samples of evaluations and what flipped"},
    {"report", lfm_command_report, "pages, plots and tables from result files"},
};

enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void print_help(FILE *out)
{
    fprintf(out, "usage: lfmscope COMMAND [options] ARGUMENTS\n\n");
    for (size_t i = 0; i < N_COMMANDS; i++) fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\n'lfmscope COMMAND --help' tells more.\n");
}

static int run_command(const char *name, int argc, char **argv)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0) return commands[i].run(argc, argv);
    fprintf(stderr, "lfmscope: unknown command '%s'; see 'lfmscope --help'\n", name);
    return LFM_EXIT_USAGE;
}

static int run(int argc, char **argv)
{
    struct lfm_error error = {0};
    if (argc < 2) {
        print_help(stderr);
        return LFM_EXIT_USAGE;
    }
    if (argc > 2 && strcmp(argv[1], "help") == 0)
        return run_command(argv[2], 2, (char *[]){argv[2], (char[]){"--help"}, NULL});
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return LFM_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("lfmscope %s\n", LFM_VERSION);
        return LFM_EXIT_OK;
    }
    enum lfm_status status = lfm_kernels_check(&error);
    if (status != LFM_OK) return lfm_report_status(status, &error);
    return run_command(argv[1], argc - 1, argv + 1);
}

/* A result that could not be printed is a failure, whoever printed it. */
int main(int argc, char **argv)
{
    lfm_start_with_sleeping_threads(argv);
    gsl_set_error_handler_off();
    int exit_code = run(argc, argv);
    if ((fflush(stdout) == 0 && !ferror(stdout)) || exit_code != LFM_EXIT_OK) return exit_code;
    fprintf(stderr, "lfmscope: cannot write to standard output\n");
    return LFM_EXIT_FAILED;
}
