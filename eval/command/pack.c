/* pack: a conformance pack for other runtimes. */
#include "eval/command/commands.h"
#include "eval/conform/pack.h"
#include "reference/base/command.h"

#include <stdio.h>
#include <string.h>

static double number_in(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static enum lfm_status print_pack(const char *directory, cJSON *manifest, const struct lfm_common *common, int argc,
                                  char **argv, struct lfm_error *error)
{
    const cJSON *item, *cases = cJSON_GetObjectItemCaseSensitive(manifest, "cases");
    if (common->json) {
        cJSON *document = lfm_json_document("pack", argc, argv);
        cJSON_AddStringToObject(document, "output", directory);
        cJSON_AddItemToObject(document, "manifest", manifest);
        return lfm_print_document(document, error);
    }
    printf("%s: a conformance pack from seed %.0f\n", directory, number_in(manifest, "seed"));
    cJSON_ArrayForEach(item, cases) printf("  %-10s %5.0f cases\n", item->string, item->valuedouble);
    printf("router decisions: the bias changes %.0f, %.0f are nearer than 0.01 to a tie\n",
           number_in(manifest, "bias_decides"), number_in(manifest, "near_ties"));
    printf("README.md in it says how another runtime writes results; 'lfmscope conform %s RESULTS' judges them\n", directory);
    cJSON_Delete(manifest);
    return LFM_OK;
}

int lfm_command_pack(int argc, char **argv)
{
    static const struct lfm_option options[] = {{0}};
    const struct lfm_usage usage = {
        .name = "pack",
        .arguments = "OUT [options]",
        .summary = "Writes a conformance pack: a tiny checkpoint and what any runtime must make of it.",
        .notes = "OUT is a directory that is made, or is there and empty. It gets a random lfm2_moe checkpoint (Hugging Face\n"
                 "directory and GGUF, the same values), cases for the tokenizer, the chat template, the routers, hidden\n"
                 "states, logits and greedy continuations, a manifest with the SHA-256 of every file, and a README for the\n"
                 "authors of other runtimes. The same --seed gives the same bytes.",
        .options = options,
        .min_arguments = 1,
        .max_arguments = 1,
    };
    struct lfm_common common;
    struct lfm_strings arguments;
    struct lfm_error error = {0};
    cJSON *manifest;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &common, &arguments, &exit_code)) return exit_code;
    lfm_catch_interrupts();
    enum lfm_status status = lfm_pack_write(&manifest, arguments.items[0], common.seed, &error);
    if (status == LFM_OK) status = print_pack(arguments.items[0], manifest, &common, argc, argv, &error);
    exit_code = lfm_report_status(status, &error);
    lfm_strings_release(&arguments);
    return exit_code;
}
