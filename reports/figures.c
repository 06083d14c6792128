/* The table of figures: see figures.h and docs/adding-a-plot.md. */
#include "reports/figures.h"

static const char cost[] = "What each format costs";
static const char tasks[] = "Tasks";
static const char layers[] = "Through the layers";
static const char routing[] = "Where tokens are routed";
static const char speed[] = "Speed";
static const char conformance[] = "Conformance";

static const char measured[] = "measured rates (lfmscope bench MODEL --json)";
static const char judged[] = "a judged runtime (lfmscope conform PACK RESULTS --json)";
static const char a_comparison[] = "a comparison of models (lfmscope compare REFERENCE CANDIDATE... --json)";
static const char runs[] = "runs of tasks (lfmscope eval SUITE --against T,T,... --output RUN)";
static const char recall[] = "runs of the recall suite (lfmscope eval recall --output RUN)";
static const char labels[] = "a comparison over labelled text (lfmscope compare ... --file F.jsonl --json)";
static const char layer_errors[] = "a comparison of models or of traces, with layers";
static const char traces[] = "a comparison of traces (lfmscope compare R.h5 C.h5... --json)";
static const char routes[] = "routing statistics (lfmscope routing T.h5... --json)";
static const char routers[] = "a comparison or routing statistics of two or more models with routers";

const struct lfm_figure lfm_figures[] = {
    {"kld-bits", cost, "KLD against bits per weight", a_comparison, lfm_figure_kld_bits},
    {"kld-cumulative", cost, "Distribution of the KLD", a_comparison, lfm_figure_kld_cumulative},
    {"perplexity-ratio", cost, "Change of perplexity", a_comparison, lfm_figure_perplexity_ratio},
    {"kld-domain", cost, "KLD by kind of text", labels, lfm_figure_domains},
    {"task-scores", tasks, "Scores by suite and format", runs, lfm_figure_tasks},
    {"recall", tasks, "Recall by length and depth", recall, lfm_figure_recall},
    {"error-growth", layers, "Error growth through the layers", layer_errors, lfm_figure_error_growth},
    {"error-points", layers, "Error at every point of every layer", traces, lfm_figure_error_points},
    {"router-overlap", routing, "Router agreement by layer", routers, lfm_figure_router_overlap},
    {"expert-load", routing, "Load of every expert", routes, lfm_figure_expert_load},
    {"load-entropy", routing, "Evenness of the load", routes, lfm_figure_load_entropy},
    {"bench", speed, "Decode rates", measured, lfm_figure_bench},
    {"conform", conformance, "Agreement with a conformance pack", judged, lfm_figure_conform},
    {0},
};

const char *lfm_figure_id(struct lfm_pool *pool, const char *id, size_t n)
{
    return n <= 1 ? id : lfm_pool_printf(pool, "%s-%zu", id, n);
}
