/* gnuplot's SVG made fit for a page: see svg.h.
 *
 * gnuplot's SVG terminal writes one element or one opening tag per line; this walks the lines and rewrites the few
 * attributes that tie a drawing to a white page. */
#include "reports/svg.h"

#include <string.h>

struct rule {
    const char *from, *to;
};

/* Longer forms first: the first rule that fits is taken. `%` in `to` stands for the figure's id. */
static const struct rule rules[] = {
    {" color=\"black\"", ""},
    {" color='black'", ""},
    {"fill=\"black\"", "fill=\"currentColor\""},
    {"fill=\"rgb(0,0,0)\"", "fill=\"currentColor\" fill-opacity=\"0.75\""}, /* tick labels: see plot_script.c */
    {"fill = 'black'", "fill='currentColor'"},
    {"stroke=\"black\"", "stroke=\"currentColor\""},
    {"stroke='black'", "stroke='currentColor'"},
    {"<tspan font-family=\"sans-serif\" >", "<tspan>"},
    {" font-family=\"sans-serif\" ", " "},
    {"xlink:href='#gpPt", "href='#%-p"},
    {"xlink:href='#gpDot", "href='#%-dot"},
    {"id='gpPt", "id='%-p"},
    {"id='gpDot", "id='%-dot"},
    {"id=\"gnuplot_canvas\"", "class=\"canvas\""},
};

static bool begins(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static void put(struct lfm_writer *out, const char *text, size_t length)
{
    lfm_write(out, "%.*s", (int)length, text);
}

static void put_replacement(struct lfm_writer *out, const char *text, const char *id)
{
    const char *place = strchr(text, '%');
    if (!place) {
        lfm_write(out, "%s", text);
        return;
    }
    put(out, text, (size_t)(place - text));
    lfm_write(out, "%s%s", id, place + 1);
}

static const struct rule *rule_at(const char *text)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (begins(text, rules[i].from)) return &rules[i];
    return NULL;
}

static void rewrite_line(struct lfm_writer *out, const char *line, size_t length, const char *id)
{
    const char *end = line + length, *kept = line, *at = line;
    while (at < end) {
        const struct rule *rule = rule_at(at);
        if (!rule) {
            at++;
            continue;
        }
        put(out, kept, (size_t)(at - kept));
        put_replacement(out, rule->to, id);
        at += strlen(rule->from);
        kept = at;
    }
    put(out, kept, (size_t)(end - kept));
    lfm_write(out, "\n");
}

/* The line that follows, and its length without leading blanks; NULL at the end. */
static const char *next_line(const char **at, size_t *length)
{
    const char *line = *at;
    if (*line == '\0') return NULL;
    size_t whole = strcspn(line, "\n");
    *at = line + whole + (line[whole] == '\n');
    while (whole > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        whole--;
    }
    while (whole > 0 && (line[whole - 1] == ' ' || line[whole - 1] == '\r')) whole--;
    *length = whole;
    return line;
}

/* A group that draws nothing: "<g ...>" followed by "</g>" on the next line. */
static bool is_empty_group(const char *line, size_t length, const char *rest)
{
    size_t next = 0;
    if (!begins(line, "<g ") || length < 1 || line[length - 1] != '>') return false;
    const char *following = next_line(&rest, &next);
    return following && next == 4 && begins(following, "</g>");
}

/* The page's own ground, and the white discs that gnuplot puts under error bars. */
static bool is_background(const char *line, size_t length)
{
    static const char white[] = "color='white'/>";
    size_t tail = strlen(white);
    if (begins(line, "<use ")) return length > tail && memcmp(line + length - tail, white, tail) == 0;
    return begins(line, "<rect x=\"0\" y=\"0\" width=");
}

static void open_svg(struct lfm_writer *out, const char *view, size_t view_length, const char *id, const char *label,
                     enum lfm_svg_use use)
{
    lfm_write(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" ");
    put(out, view, view_length);
    lfm_write(out, " role=\"img\" id=\"%s\" aria-label=\"", id);
    lfm_write_html(out, label);
    lfm_write(out, "\">\n");
    if (use == LFM_SVG_FILE)
        lfm_write(out, "<style>svg{color:#1c2024;font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica "
                       "Neue',Arial,sans-serif}@media (prefers-color-scheme:dark){svg{color:#e4e7eb}}</style>\n");
}

enum lfm_status lfm_svg_adapt(struct lfm_writer *out, const char *svg, const char *id, const char *label,
                              enum lfm_svg_use use, struct lfm_error *error)
{
    const char *view = strstr(svg, "viewBox=\""), *body = strstr(svg, "<g id=\"gnuplot_canvas\">");
    const char *view_end = view ? strchr(view + strlen("viewBox=\""), '"') : NULL;
    if (!body || !view_end || view_end > body)
        return lfm_fail(error, LFM_ERROR_FORMAT, "figure '%s': expected an SVG by gnuplot, found something else", id);
    open_svg(out, view, (size_t)(view_end + 1 - view), id, label, use);

    size_t length;
    bool in_filter = false;
    for (const char *at = body, *line; (line = next_line(&at, &length));) {
        if (begins(line, "<filter")) in_filter = true;
        bool dropped = in_filter || length == 0 || is_background(line, length);
        if (begins(line, "</filter>")) in_filter = false;
        if (dropped) continue;
        if (is_empty_group(line, length, at)) {
            size_t closing;
            next_line(&at, &closing);
            continue;
        }
        rewrite_line(out, line, length, id);
    }
    if (out->status != LFM_OK && error) *error = out->error;
    return out->status;
}
