/* The table of figures: see figures.h and docs/adding-a-plot.md. */
#include "reports/figures.h"

static const char cost[] = "What each format costs";
static const char tasks[] = "Tasks";
static const char causes[] = "What the loss is made of";
static const char layers[] = "Through the layers";
static const char routing[] = "Where tokens are routed";
static const char speed[] = "Speed";
static const char load[] = "Experts under load";
static const char conformance[] = "Conformance";

static const char measured[] = "measured rates (lfmscope bench MODEL --json)";
static const char under_load[] = "routing under load (lfmscope routing --load T.h5... --json)";
static const char judged[] = "a judged runtime (lfmscope conform PACK RESULTS --json)";
static const char a_comparison[] = "a comparison of models (lfmscope compare REFERENCE CANDIDATE... --json)";
static const char a_ledger[] = "a ledger (lfmscope ledger REFERENCE CANDIDATE --json)";
static const char attributed[] = "an attribution (lfmscope attribute REFERENCE --type T --json)";
static const char ledger_layers[] = "a ledger by layer (lfmscope ledger ... --layers all --json)";
static const char ledger_margins[] = "a ledger by router margin (lfmscope ledger ... --margins default --json)";
static const char runs[] = "runs of tasks (lfmscope eval SUITE --against T,T,... --output RUN)";
static const char recall[] = "runs of the recall suite (lfmscope eval recall --output RUN)";
static const char labels[] = "a comparison over labelled text (lfmscope compare ... --file F.jsonl --json)";
static const char layer_errors[] = "a comparison of models or of traces, with layers";
static const char injected[] = "a comparison of modules (lfmscope compare REFERENCE CANDIDATE... --inject --json)";
static const char traces[] = "a comparison of traces (lfmscope compare R.h5 C.h5... --json)";
static const char routes[] = "routing statistics (lfmscope routing T.h5... --json)";
static const char labelled_routes[] = "routing statistics of labelled text (a JSONL file with \"label\")";
static const char route_pairs[] = "routing statistics of two or more traces (lfmscope routing T.h5 T2.h5 --json)";
static const char routers[] = "a comparison or routing statistics of two or more models with routers";

const struct lfm_figure lfm_figures[] = {
    {"kld-bits", cost, "KLD against bits per weight", a_comparison, lfm_figure_kld_bits},
    {"kld-cumulative", cost, "Distribution of the KLD", a_comparison, lfm_figure_kld_cumulative},
    {"perplexity-ratio", cost, "Change of perplexity", a_comparison, lfm_figure_perplexity_ratio},
    {"kld-domain", cost, "KLD by kind of text", labels, lfm_figure_domains},
    {"ledger", causes, "Changed routing and arithmetic", a_ledger, lfm_figure_ledger},
    {"ledger-layers", causes, "Changed routing by layer", ledger_layers, lfm_figure_ledger_layers},
    {"attribute", causes, "Loss by part of the model", attributed, lfm_figure_attribute},
    {"ledger-margins", causes, "Changed routing by margin", ledger_margins, lfm_figure_ledger_margins},
    {"task-scores", tasks, "Scores by suite and format", runs, lfm_figure_tasks},
    {"recall", tasks, "Recall by length and depth", recall, lfm_figure_recall},
    {"error-growth", layers, "Error growth through the layers", layer_errors, lfm_figure_error_growth},
    {"injected", layers, "Own and inherited errors of modules", injected, lfm_figure_injected},
    {"error-points", layers, "Error at every point of every layer", traces, lfm_figure_error_points},
    {"first-above", layers, "Where traces part", traces, lfm_figure_first_above},
    {"channel-outliers", layers, "Channels that stand out", traces, lfm_figure_channel_outliers},
    {"router-overlap", routing, "Router agreement by layer", routers, lfm_figure_router_overlap},
    {"expert-load", routing, "Load of every expert", routes, lfm_figure_expert_load},
    {"load-entropy", routing, "Evenness of the load", routes, lfm_figure_load_entropy},
    {"load-chance", routing, "Load against chance", routes, lfm_figure_load_chance},
    {"coactivation", routing, "Experts chosen together", routes, lfm_figure_coactivation},
    {"specialisation", routing, "What the experts go by", routes, lfm_figure_specialisation},
    {"domain-experts", routing, "Domains and experts", labelled_routes, lfm_figure_domain_experts},
    {"flips-margin", routing, "Flips by margin", route_pairs, lfm_figure_flips_margin},
    {"flips-predicted", routing, "Flips as margins predict them", route_pairs, lfm_figure_flips_predicted},
    {"first-divergence", routing, "Where tokens leave the reference's path", route_pairs, lfm_figure_first_divergence},
    {"load-batches", load, "Distinct experts by batch size", under_load, lfm_figure_load_batches},
    {"load-devices", load, "Straggler factor by devices", under_load, lfm_figure_load_devices},
    {"load-caches", load, "Hit rate by cache size", under_load, lfm_figure_load_caches},
    {"bench", speed, "Decode rates", measured, lfm_figure_bench},
    {"conform", conformance, "Agreement with a conformance pack", judged, lfm_figure_conform},
    {0},
};

const char *lfm_figure_id(struct lfm_pool *pool, const char *id, size_t n)
{
    return n <= 1 ? id : lfm_pool_printf(pool, "%s-%zu", id, n);
}
