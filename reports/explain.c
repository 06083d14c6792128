/* The page's last sections: how to read it, what was run, what is not shown. Declared in explain.h. */
#include "reports/explain.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct {
    const char *term, *text;
} definitions[] = {
    {"KLD", "Kullback-Leibler divergence of the candidate's next-token distribution from the reference's, in nats, "
            "over the whole vocabulary at one position: 0 means the same distribution. The mean is over all scored "
            "positions; p99 is the value that 99\xc2\xa0% of positions stay below."},
    {"Words for a mean KLD", "Below 0.0001 nats a format changes almost nothing, below 0.01 it changes little, below "
                             "0.1 noticeably, and above that a lot."},
    {"Perplexity ratio", "The candidate's perplexity over the reference's on the same tokens; 1 is no change."},
    {"Top-1 agreement", "The share of positions where both name the same most likely token."},
    {"Router overlap", "A router chooses a set of experts for each token. Overlap is the number of experts in both "
                       "sets over the number in either, averaged; experts kept is the share of the reference's experts "
                       "that the candidate chooses too; same set is the share of tokens where nothing changed."},
    {"Gate KL, mass moved", "The divergence between the routers' normalised gates, in nats, and the share of gate "
                            "weight that went to other experts."},
    {"Routing, arithmetic", "Reference and candidate each run with their own and with the other\xe2\x80\x99s choice of experts. Routing "
                            "is what the other choice costs, arithmetic what the other weights cost, each the mean of both ways to "
                            "ask (Shapley values), in nats of KLD; together they are the loss. The interaction is what both cost "
                            "together beyond what they cost one by one, and is in them by halves. A share can be negative."},
    {"Margin, flip", "A router's margin is the score of the last expert it takes less that of the first it leaves out. A "
                     "choice flips when its set of experts is not the reference's: then scores have moved against each "
                     "other by more than a margin."},
    {"Relative error", "The L2 norm of the difference over the L2 norm of the reference's values; 0.01 is 1\xc2\xa0%. "
                       "SQNR is the same in decibels: 40\xc2\xa0"
                       "dB is 1\xc2\xa0%."},
    {"Own, inherited", "A module\xe2\x80\x99s own (injected) error is the one it makes when it is given the reference\xe2\x80\x99s "
                       "input. What its error in the candidate\xe2\x80\x99s run exceeds that by is inherited from the modules "
                       "before it. The two are norms and do not add up as vectors do."},
    {"Standard error", "Clustered by document, or by window where there is one document: tokens of one text are not "
                       "independent observations."},
    {"Right, lost, won", "An answer to a task is right or wrong. Lost are the items that the reference gets right and "
                         "the format wrong, won those the other way round: the same score can hide many of both. The "
                         "interval of a score is Wilson\xe2\x80\x99s, that of a difference Newcombe\xe2\x80\x99s "
                         "for paired rates."},
    {"McNemar p, Holm", "The chance that flips as one-sided as these, or more so, come about when lost and won are "
                        "equally likely (exact, two-sided); adjusted over the formats by Holm\xe2\x80\x99s method."},
    {"Verdict", "PASS: the 90\xc2\xa0% interval of the difference lies within the margin, so the format answers as well "
                "as the reference. FAIL: it lies wholly beyond. UNDECIDED: neither; still needed are about so many items, "
                "if the rates stay as they are."},
    {"Of the bandwidth", "Decoding a token reads every weight it uses once, and its keys and values. That rate, over the rate "
                         "at which a plain loop reads memory on the same machine; above 100\xc2\xa0% the caches hold the "
                         "model."},
    {"Bits per weight", "Stored bits, scales included, over the number of parameters."},
};

void lfm_explain_terms(struct lfm_content *content)
{
    lfm_content_heading(content, "how-to-read-this", "How to read this");
    for (size_t i = 0; i < COUNT(definitions); i++)
        lfm_content_definition(content, definitions[i].term, definitions[i].text);
}

static void input_table(struct lfm_content *content, const struct lfm_documents *documents)
{
    static const struct lfm_column columns[] = {
        {"file", "File", false},
        {"schema", "Holds", false},
        {"version", "Written by", false},
        {"sha256", "SHA-256", false},
    };
    struct lfm_pool *pool = content->pool;
    struct lfm_source source = {"the files themselves", ""};
    struct lfm_table *table = lfm_table_new(pool, "inputs", "The result files this page was made from.", &source,
                                            columns, COUNT(columns));
    for (size_t i = 0; i < documents->count; i++) {
        const struct lfm_document *document = &documents->items[i];
        lfm_table_text(table, document->source.file);
        lfm_table_text(table, document->schema);
        lfm_table_text(table, document->version[0] ? lfm_pool_printf(pool, "lfmscope %s", document->version) : "");
        lfm_table_text(table, lfm_pool_printf(pool, "%.16s\xe2\x80\xa6", document->sha256));
    }
    lfm_content_table(content, table, false);
}

/* True when the table has this trace already, or this model in this role where there is no trace. */
static bool listed(const struct lfm_table *table, const char *name, const char *role, const char *weights,
                   const char *file)
{
    for (size_t i = 0; i < table->n_cells; i += table->n_columns) {
        const struct lfm_cell *row = &table->cells[i];
        if (strcmp(row[3].text, file) != 0) continue;
        if (file[0]) return true;
        bool same_model = strcmp(row[0].text, name) == 0 && strcmp(row[2].text, weights) == 0;
        if (same_model && strcmp(row[1].text, role) == 0) return true;
    }
    return false;
}

static void model_row(struct lfm_table *table, struct lfm_pool *pool, const char *role, const char *name,
                      const char *variant, const char *file, const char *sha256)
{
    const char *shown = name[0] ? name : file, *format = lfm_variant_title(pool, variant);
    if (!table || !shown[0] || listed(table, shown, role, format, file)) return;
    lfm_table_text(table, shown);
    lfm_table_text(table, role);
    lfm_table_text(table, format);
    lfm_table_text(table, file);
    lfm_table_text(table, sha256[0] ? sha256 : "\xe2\x80\x93");
}

static void model_table(struct lfm_content *content, const struct lfm_documents *documents)
{
    static const struct lfm_column columns[] = {
        {"model", "Model", false}, {"role", "Role", false}, {"weights", "Weights", false}, {"file", "Trace", false},
        {"sha256", "SHA-256 of the model", false},
    };
    struct lfm_source source = {"the files above", ""};
    struct lfm_pool *pool = content->pool;
    struct lfm_table *table = lfm_table_new(pool, "models", "The models and traces these files are about.",
                                            &source, columns, COUNT(columns));
    for (size_t d = 0; d < documents->count; d++) {
        const struct lfm_document *document = &documents->items[d];
        const struct lfm_candidate *reference = &document->reference;
        if (document->n_candidates > 0)
            model_row(table, pool, "reference", reference->name, reference->variant, reference->file,
                      reference->sha256);
        for (size_t i = 0; i < document->n_candidates; i++)
            model_row(table, pool, "candidate", document->candidates[i].name, document->candidates[i].variant,
                      document->candidates[i].file, document->candidates[i].sha256);
    }
    for (size_t d = 0; d < documents->count; d++) { /* traces that nothing compares come last */
        const struct lfm_document *document = &documents->items[d];
        for (size_t i = 0; i < document->n_loads; i++)
            model_row(table, pool, "trace", document->loads[i].name, document->loads[i].variant,
                      document->loads[i].file, document->loads[i].sha256);
    }
    lfm_content_table(content, table, true);
}

void lfm_explain_run(struct lfm_content *content, const struct lfm_documents *documents,
                     const struct lfm_figure **absent, size_t n_absent)
{
    lfm_content_heading(content, "what-was-run", "What was run");
    for (size_t i = 0; i < documents->count; i++)
        if (documents->items[i].source.command[0]) lfm_content_command(content, documents->items[i].source.command);
    input_table(content, documents);
    model_table(content, documents);
    for (size_t i = 0; i < n_absent; i++)
        lfm_content_paragraph(content, lfm_pool_printf(content->pool, "Not shown: %s; it needs %s.", absent[i]->title,
                                                       absent[i]->needs));
}
