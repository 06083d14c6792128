/* Structure of routing: five tokens whose experts were chosen by hand.
 *
 *   document, label     0 prose   0        0        1 tools   1
 *   id                  7         8        7        8         7
 *   experts, layer 2    0 1       0 2      0 1      2 3       2 3
 *   experts, layer 3    0 1       0 2      4 5      2 3       0 1
 */
#include "quant/routing_structure.h"
#include "tests/unit/assert.h"
#include "tests/unit/router_files.h"

#include <stdlib.h>
#include <string.h>

static struct lfm_error error;
static struct made_model made;
static struct lfm_trace *trace;

static void setup(void)
{
    static const size_t lengths[] = {3, 2};
    static const size_t pairs[ROUTER_LAYERS][5][2] = {{{0, 1}, {0, 2}, {0, 1}, {2, 3}, {2, 3}},
                                                      {{0, 1}, {0, 2}, {4, 5}, {2, 3}, {0, 1}}};
    static const int32_t ids[2][3] = {{7, 8, 7}, {8, 7, 0}};
    static struct router_scores scores[ROUTER_LAYERS][5];
    make_directory();
    made_model_init(&made, lengths, 2);
    made_model_route(&made);
    made.documents.items[0].label = strdup("prose");
    for (size_t d = 0; d < 2; d++) memcpy(made.documents.items[d].tokens.ids, ids[d], lengths[d] * sizeof ids[0][0]);
    for (size_t l = 0; l < ROUTER_LAYERS; l++)
        for (size_t t = 0; t < 5; t++) choose_pair(&scores[l][t], pairs[l][t][0], pairs[l][t][1]);
    write_routes(&made, "t.h5", (const struct router_scores *const[]){scores[0], scores[1]}, 5, true);
    assert_ok(lfm_trace_open(&trace, in_directory("t.h5"), &error));
}

static void teardown(void)
{
    lfm_trace_close(trace);
    made_model_release(&made);
    remove_directory();
}

TestSuite(routing_structure, .init = setup, .fini = teardown);

static struct lfm_structure read_structure(size_t tokens, size_t min_count)
{
    struct lfm_structure structure;
    const struct lfm_structure_options options = {.tokens = tokens, .min_count = min_count, .seed = 1};
    assert_ok(lfm_structure_read(&structure, trace, &options, NULL, &error));
    cr_assert_eq(structure.n_layers, 2);
    cr_assert_eq(structure.layers[0].layer, 2);
    return structure;
}

Test(routing_structure, pairs_have_lift_and_conditional_shares)
{
    struct lfm_structure structure = read_structure(0, 1);
    const struct lfm_structure_layer *layer = &structure.layers[0];
    cr_assert_eq(layer->together[0 * MADE_EXPERTS + 1], 2);
    cr_assert_eq(layer->together[1 * MADE_EXPERTS + 0], 2);
    cr_assert_eq(layer->together[0], 3);
    assert_near(lfm_lift(&structure, layer, 0, 1), 2 * 5.0 / (3 * 2), 1e-15);
    assert_near(lfm_lift(&structure, layer, 0, 2), 1 * 5.0 / (3 * 3), 1e-15);
    cr_assert_eq(lfm_lift(&structure, layer, 0, 3), 0);
    cr_assert(isnan(lfm_lift(&structure, layer, 0, 4)));
    assert_near(lfm_given(&structure, layer, 1, 0), 2.0 / 3, 1e-15);
    assert_near(lfm_given(&structure, layer, 0, 1), 1, 0);
    assert_near(structure.lift_even, 6.0 * 1 / (2 * 5), 1e-15);
    lfm_structure_release(&structure);
}

Test(routing_structure, domains_have_shares_and_information)
{
    /* 10 choices: prose has 3, 2, 1 of experts 0, 1, 2, tools 2 and 2 of experts 2 and 3; + (2 + 4 - 5 - 1) / 20 = 0. */
    static const uint32_t expected[2][MADE_EXPERTS] = {{3, 2, 1, 0, 0, 0}, {0, 0, 2, 2, 0, 0}};
    struct lfm_structure structure = read_structure(0, 1);
    const struct lfm_structure_layer *layer = &structure.layers[0];
    cr_assert_eq(structure.corpus.n_labels, 2);
    cr_assert_str_eq(structure.corpus.labels[0], "prose");
    cr_assert_str_eq(structure.corpus.labels[1], "tools");
    cr_assert_eq(structure.corpus.label_tokens[0], 3);
    cr_assert_eq(structure.corpus.label_documents[1], 1);
    cr_assert_eq(memcmp(layer->domains, expected, sizeof expected), 0);
    double experts = 2 * (0.3 * log(1 / 0.3)) + 2 * (0.2 * log(5)), labels = 0.6 * log(1 / 0.6) + 0.4 * log(1 / 0.4);
    double both = 0.3 * log(1 / 0.3) + 3 * (0.2 * log(5)) + 0.1 * log(10);
    assert_near(layer->domain.information.plugin, experts + labels - both, 1e-14);
    assert_near(layer->domain.information.corrected, experts + labels - both, 1e-14);
    cr_assert_eq(layer->domain.information.observations, 10);
    lfm_structure_release(&structure);
}

/* Two documents of one label each: swapping labels changes nothing, so all of it could be the documents'. */
Test(routing_structure, labels_are_shuffled_over_documents)
{
    struct lfm_structure structure = read_structure(0, 1);
    const struct lfm_dependence *domain = &structure.layers[0].domain;
    assert_near(domain->shuffled_mean, domain->information.plugin, 1e-14);
    assert_near(domain->shuffled_max, domain->information.plugin, 1e-14);
    lfm_structure_release(&structure);
}

Test(routing_structure, domains_are_alike_by_the_cosine_of_all_their_shares)
{
    /* prose * 3: (3 2 1 0 0 0 | 2 1 1 0 1 1), tools * 2: (0 0 2 2 0 0 | 1 1 1 1 0 0) */
    struct lfm_structure structure = read_structure(0, 1);
    assert_near(structure.similarity[1], 6 / sqrt(22.0 * 12), 1e-15);
    assert_near(structure.similarity[2], 6 / sqrt(22.0 * 12), 1e-15);
    cr_assert_eq(structure.similarity[0], 1);
    lfm_structure_release(&structure);
}

static void assert_token(const struct lfm_token_choice *choice, int32_t id, uint32_t chosen, uint32_t count)
{
    cr_assert(choice->id == id && choice->chosen == chosen && choice->count == count, "id %d, %u of %u", (int)choice->id,
              (unsigned)choice->chosen, (unsigned)choice->count);
}

Test(routing_structure, tokens_are_listed_by_the_share_that_chose_the_expert)
{
    struct lfm_structure structure = read_structure(3, 1);
    const struct lfm_token_choice *tokens = structure.layers[0].tokens;
    assert_token(&tokens[0], 7, 2, 3); /* expert 0: 2/3, then 1/2 */
    assert_token(&tokens[1], 8, 1, 2);
    cr_assert_eq(structure.corpus.distinct, 2);
    cr_assert_eq(structure.options.tokens, 2, "no more than there are");
    assert_token(&tokens[2 * 2], 8, 2, 2); /* expert 2: 1, then 1/3 */
    assert_token(&tokens[2 * 2 + 1], 7, 1, 3);
    cr_assert_eq(tokens[4 * 2].count, 0); /* expert 4 has none */
    lfm_structure_release(&structure);
}

Test(routing_structure, rare_tokens_are_not_listed_and_only_as_many_as_asked_for)
{
    struct lfm_structure structure = read_structure(3, 3);
    assert_token(&structure.layers[0].tokens[2 * 2], 7, 1, 3);
    cr_assert_eq(structure.layers[0].tokens[2 * 2 + 1].count, 0);
    lfm_structure_release(&structure);
    structure = read_structure(1, 1);
    assert_token(&structure.layers[0].tokens[2], 8, 2, 2);
    lfm_structure_release(&structure);
}

Test(routing_structure, tokens_have_information_that_shuffling_takes_away)
{
    /* id 7: 2 of expert 0, 2 of 1, 1 of 2, 1 of 3; id 8: 1 of 0, 2 of 2, 1 of 3 */
    static const uint32_t table[2][MADE_EXPERTS] = {{2, 2, 1, 1, 0, 0}, {1, 0, 2, 1, 0, 0}};
    struct lfm_structure structure = read_structure(0, 1);
    const struct lfm_dependence *token = &structure.layers[0].token;
    struct lfm_mutual_information expected = lfm_mutual_information(table[0], 2, MADE_EXPERTS);
    assert_near(token->information.plugin, expected.plugin, 1e-15);
    assert_near(token->information.corrected, expected.corrected, 1e-15);
    cr_assert(token->shuffled_mean > 0 && token->shuffled_mean < token->shuffled_max);
    lfm_structure_release(&structure);
}

Test(routing_structure, neighbours_of_one_document_share_experts)
{
    /* Tokens 0 and 1 share one, 1 and 2 one, 3 and 4 two; 2 and 3 are of different documents. */
    struct lfm_structure structure = read_structure(0, 1);
    const struct lfm_persistence *next = &structure.layers[0].next_token;
    cr_assert_eq(next->pairs, 3);
    assert_near(next->overlap, 4.0 / 6, 1e-15);
    assert_near(next->even, 2.0 / 6, 1e-15);
    assert_near(next->loaded, (9 + 4 + 9 + 4) / 25.0 / 2, 1e-15);
    lfm_structure_release(&structure);
}

Test(routing_structure, layers_share_experts_and_information)
{
    /* By token 2, 2, 0, 2, 0 in common. Layer 3 is loaded by 3 2 2 1 1 1. */
    struct lfm_structure structure = read_structure(0, 1);
    const struct lfm_structure_layer *layer = &structure.layers[0];
    cr_assert_eq(layer->next_layer.pairs, 5);
    assert_near(layer->next_layer.overlap, 6.0 / 10, 1e-15);
    assert_near(layer->next_layer.loaded, (3 * 3 + 2 * 2 + 3 * 2 + 2 * 1) / 25.0 / 2, 1e-15);
    static const uint32_t table[MADE_EXPERTS][MADE_EXPERTS] = {
        {2, 1, 1, 0, 1, 1}, {1, 1, 0, 0, 1, 1}, {2, 1, 2, 1, 0, 0}, {1, 1, 1, 1, 0, 0}};
    assert_near(layer->next_layer_information.plugin, lfm_mutual_information(table[0], 6, 6).plugin, 1e-15);
    cr_assert_eq(layer->next_layer_information.observations, 20);
    cr_assert_eq(structure.layers[1].next_layer.pairs, 0);
    cr_assert(isnan(structure.layers[1].next_layer_information.plugin));
    lfm_structure_release(&structure);
}

Test(routing_structure, documents_without_a_label_are_in_no_domain)
{
    static struct router_scores scores[5];
    struct lfm_structure structure;
    struct lfm_trace *other;
    const struct lfm_structure_options options = {.min_count = 1};
    for (size_t t = 0; t < 5; t++) choose_pair(&scores[t], 0, 1);
    free(made.documents.items[0].label);
    made.documents.items[0].label = NULL;
    write_routes(&made, "other.h5", (const struct router_scores *const[]){scores, scores}, 5, true);
    assert_ok(lfm_trace_open(&other, in_directory("other.h5"), &error));
    assert_ok(lfm_structure_read(&structure, other, &options, NULL, &error));
    cr_assert_eq(structure.corpus.n_labels, 1);
    cr_assert_eq(structure.layers[0].domain.information.observations, 4);
    cr_assert(isnan(structure.layers[0].domain.shuffled_mean));
    lfm_structure_release(&structure);
    lfm_trace_close(other);
}
