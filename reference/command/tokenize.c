/* lfmscope tokenize: ids and pieces of a text, or the text of ids. */
#include "reference/base/command.h"
#include "reference/base/file.h"
#include "reference/base/utf8.h"
#include "reference/command/commands.h"
#include "reference/command/token_ids.h"
#include "reference/model/tokenizer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *text, *file;
    bool decode, special, no_bos, null;
    struct lfm_common common;
    int argc;
    char **argv;
};

static enum lfm_status decode(const struct options *options, const struct lfm_tokenizer *tokenizer, const char *text,
                              struct lfm_error *error)
{
    struct lfm_tokens tokens = {0};
    struct lfm_buffer out = {0}, repaired = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_parse_token_ids(&tokens, text, options->file ? options->file : "--text", error));
    LFM_TRY_DONE(lfm_detokenize(tokenizer, tokens.ids, tokens.count, options->special, &out, error));
    LFM_TRY_DONE(lfm_utf8_repair(&repaired, out.data, out.length, error));
    if (options->common.json) {
        cJSON *document = lfm_json_document("tokenize", options->argc, options->argv);
        cJSON_AddStringToObject(document, "text", repaired.data);
        status = lfm_print_document(document, error);
    } else if (fwrite(out.data, 1, out.length, stdout) != out.length || putchar('\n') == EOF || fflush(stdout) != 0) {
        status = lfm_fail(error, LFM_ERROR_IO, "cannot write to standard output: %s", strerror(errno));
    }
done:
    lfm_tokens_release(&tokens);
    lfm_buffer_release(&out);
    lfm_buffer_release(&repaired);
    return status;
}

/* One line per token: the id, and the piece with what would not be seen escaped. */
static void print_piece(int32_t id, const char *bytes, size_t length)
{
    printf("%7d  ", id);
    for (size_t i = 0; i < length;) {
        unsigned char c = (unsigned char)bytes[i];
        size_t broken = 1, n = lfm_utf8_length(bytes + i, length - i, &broken);
        if (c == '\\')
            printf("\\\\");
        else if (c == '\n')
            printf("\\n");
        else if (n == 0 || c < 0x20 || c == 0x7F)
            for (size_t j = 0; j < (n ? n : broken); j++) printf("\\x%02x", (unsigned char)bytes[i + j]);
        else
            printf("%.*s", (int)n, bytes + i);
        i += n ? n : broken;
    }
    putchar('\n');
}

static enum lfm_status print_tokens(const struct lfm_tokenizer *tokenizer, const struct lfm_tokens *tokens,
                                    bool only_ids, struct lfm_error *error)
{
    for (size_t i = 0; i < tokens->count; i++) {
        const char *bytes = NULL;
        size_t length = 0;
        LFM_TRY(lfm_token_bytes(tokenizer, tokens->ids[i], &bytes, &length, error));
        if (only_ids)
            printf("%s%d", i ? " " : "", tokens->ids[i]);
        else
            print_piece(tokens->ids[i], bytes, length);
    }
    if (only_ids) putchar('\n');
    if (fflush(stdout) != 0) return lfm_fail(error, LFM_ERROR_IO, "cannot write to standard output: %s", strerror(errno));
    return LFM_OK;
}

static enum lfm_status add_tokens(cJSON *object, const struct lfm_tokenizer *tokenizer, const struct lfm_tokens *tokens,
                                  bool only_ids, struct lfm_error *error)
{
    cJSON *ids = tokens->count ? cJSON_CreateIntArray(tokens->ids, (int)tokens->count) : cJSON_CreateArray();
    cJSON_AddItemToObject(object, "ids", ids);
    if (only_ids) return LFM_OK;
    cJSON *pieces = cJSON_AddArrayToObject(object, "pieces");
    struct lfm_buffer piece = {0};
    enum lfm_status status = LFM_OK;
    for (size_t i = 0; i < tokens->count; i++) {
        const char *bytes = NULL;
        size_t length = 0;
        lfm_buffer_clear(&piece);
        LFM_TRY_DONE(lfm_token_bytes(tokenizer, tokens->ids[i], &bytes, &length, error));
        LFM_TRY_DONE(lfm_utf8_repair(&piece, bytes, length, error));
        cJSON_AddItemToArray(pieces, cJSON_CreateString(piece.data));
    }
done:
    lfm_buffer_release(&piece);
    return status;
}

static enum lfm_status encode_one(const struct options *options, const struct lfm_tokenizer *tokenizer,
                                  const char *text, size_t length, cJSON *object, struct lfm_error *error)
{
    struct lfm_tokens tokens = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_tokenize(tokenizer, text, length, !options->no_bos, options->special, &tokens, error));
    if (tokens.count > INT32_MAX) {
        status = lfm_fail(error, LFM_ERROR_LIMIT, "cannot print %zu tokens at once", tokens.count);
        goto done;
    }
    if (object)
        status = add_tokens(object, tokenizer, &tokens, options->null, error);
    else
        status = print_tokens(tokenizer, &tokens, options->null, error);
done:
    lfm_tokens_release(&tokens);
    return status;
}

/* The text as a whole, or each of the texts between zero bytes. */
static enum lfm_status encode(const struct options *options, const struct lfm_tokenizer *tokenizer, const char *text,
                              size_t length, struct lfm_error *error)
{
    cJSON *document = options->common.json ? lfm_json_document("tokenize", options->argc, options->argv) : NULL;
    enum lfm_status status = LFM_OK;
    if (!options->null) {
        status = encode_one(options, tokenizer, text, length, document, error);
    } else {
        cJSON *texts = document ? cJSON_AddArrayToObject(document, "texts") : NULL;
        for (size_t start = 0; start < length && status == LFM_OK;) {
            const char *end = memchr(text + start, '\0', length - start);
            size_t n = end ? (size_t)(end - text) - start : length - start;
            cJSON *entry = document ? cJSON_CreateObject() : NULL;
            if (entry) cJSON_AddItemToArray(texts, entry);
            status = encode_one(options, tokenizer, text + start, n, entry, error);
            start += n + 1;
        }
    }
    if (!document) return status;
    if (status == LFM_OK) return lfm_print_document(document, error);
    cJSON_Delete(document);
    return status;
}

static enum lfm_status run(const struct options *options, const char *model, struct lfm_error *error)
{
    struct lfm_checkpoint *checkpoint = NULL;
    struct lfm_tokenizer *tokenizer = NULL;
    struct lfm_buffer text = {0};
    enum lfm_status status;
    LFM_TRY_DONE(lfm_checkpoint_open(&checkpoint, model, error));
    LFM_TRY_DONE(lfm_tokenizer_open(&tokenizer, checkpoint, error));
    if (options->file)
        LFM_TRY_DONE(lfm_read_file(&text, options->file, error));
    else
        LFM_TRY_DONE(lfm_buffer_puts(&text, options->text, error));
    LFM_TRY_DONE(lfm_buffer_append(&text, "", 0, error));
    status = options->decode ? decode(options, tokenizer, text.data, error)
                             : encode(options, tokenizer, text.data, text.length, error);
done:
    lfm_buffer_release(&text);
    lfm_tokenizer_free(tokenizer);
    lfm_checkpoint_close(checkpoint);
    return status;
}

int lfm_command_tokenize(int argc, char **argv)
{
    struct options options = {.argc = argc, .argv = argv};
    const struct lfm_option table[] = {
        {"text", "S", "the text", LFM_OPTION_STRING, &options.text},
        {"file", "F", "a file with the text; - is standard input", LFM_OPTION_STRING, &options.file},
        {"decode", NULL, "the text is ids, '1,2,3': print what they stand for", LFM_OPTION_FLAG, &options.decode},
        {"special", NULL, "special tokens in the text are recognised (decoding: printed)", LFM_OPTION_FLAG,
         &options.special},
        {"no-bos", NULL, "put no BOS in front", LFM_OPTION_FLAG, &options.no_bos},
        {"null", NULL, "F holds several texts separated by zero bytes: a line of ids for each", LFM_OPTION_FLAG,
         &options.null},
        {0},
    };
    const struct lfm_usage usage = {.name = "tokenize",
                                    .arguments = "MODEL (--text S | --file F) [options]",
                                    .summary = "Prints the token ids and pieces of a text, or the text of ids.",
                                    .options = table,
                                    .min_arguments = 1,
                                    .max_arguments = 1};
    struct lfm_strings arguments;
    struct lfm_error error;
    int exit_code;
    if (!lfm_parse_arguments(&usage, argc, argv, &options.common, &arguments, &exit_code)) return exit_code;
    if (!options.text == !options.file)
        exit_code = lfm_report_usage(&usage, "expected either --text or --file");
    else if (options.decode && (options.null || options.no_bos))
        exit_code = lfm_report_usage(&usage, "--decode goes with neither --null nor --no-bos");
    else
        exit_code = lfm_report_status(run(&options, arguments.items[0], &error), &error);
    lfm_strings_release(&arguments);
    return exit_code;
}
