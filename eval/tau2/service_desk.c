/* The service desk, lfmscope's own domain: customers and their orders, six tools. Made for the demo model, which was
 * trained on conversations of this kind. */
#include "eval/tau2/domain.h"

typedef const struct lfm_py_value *value;

static const char schemas[] =
    "[{\"name\": \"find_customer\", \"description\": \"Customer by e-mail.\", \"parameters\": {\"type\": \"object\", "
    "\"properties\": {\"email\": {\"type\": \"string\"}}, \"required\": [\"email\"]}},"
    "{\"name\": \"get_order\", \"description\": \"Read an order.\", \"parameters\": {\"type\": \"object\", "
    "\"properties\": {\"order_id\": {\"type\": \"string\"}}, \"required\": [\"order_id\"]}},"
    "{\"name\": \"cancel_order\", \"description\": \"Cancel an order.\", \"parameters\": {\"type\": \"object\", "
    "\"properties\": {\"order_id\": {\"type\": \"string\"}}, \"required\": [\"order_id\"]}},"
    "{\"name\": \"change_address\", \"description\": \"Set a new address.\", \"parameters\": {\"type\": \"object\", "
    "\"properties\": {\"order_id\": {\"type\": \"string\"}, \"town\": {\"type\": \"string\"}}, "
    "\"required\": [\"order_id\", \"town\"]}},"
    "{\"name\": \"refund_order\", \"description\": \"Refund an order.\", \"parameters\": {\"type\": \"object\", "
    "\"properties\": {\"order_id\": {\"type\": \"string\"}}, \"required\": [\"order_id\"]}},"
    "{\"name\": \"escalate\", \"description\": \"Pass on to a human.\", \"parameters\": {\"type\": \"object\", "
    "\"properties\": {\"order_id\": {\"type\": \"string\"}}, \"required\": [\"order_id\"]}}]";

/* The index of the row whose `field` is `wanted`; the number of rows when there is none. */
static size_t find(value table, const char *field, value wanted)
{
    size_t i = 0;
    while (i < table->count && !lfm_py_equal(lfm_py_get_named(table->items[i], field), wanted)) i++;
    return i;
}

static enum lfm_status find_customer(struct lfm_tau2_call *call, struct lfm_error *error)
{
    value customers = lfm_py_get_named(call->db, "customers");
    size_t index = find(customers, "email", call->arguments[0]);
    if (index == customers->count) return lfm_tau2_raise(call, "no such customer", NULL, error);
    call->result = customers->items[index];
    return LFM_OK;
}

static enum lfm_status get_order(struct lfm_tau2_call *call, struct lfm_error *error)
{
    value orders = lfm_py_get_named(call->db, "orders");
    size_t index = find(orders, "order_id", call->arguments[0]);
    if (index == orders->count) return lfm_tau2_raise(call, "no such order", NULL, error);
    call->result = orders->items[index];
    return LFM_OK;
}

/* Sets a field of the order that the first argument names. */
static enum lfm_status set_field(struct lfm_tau2_call *call, const char *field, value content, struct lfm_error *error)
{
    struct lfm_py_value *orders, *order;
    LFM_TRY(lfm_db_own(call->arena, &orders, call->db, lfm_span_of("orders"), error));
    size_t index = find(orders, "order_id", call->arguments[0]);
    if (index == orders->count) return lfm_tau2_raise(call, "no such order", NULL, error);
    LFM_TRY(lfm_db_own_at(call->arena, &order, orders, index, error));
    LFM_TRY(lfm_db_put(call->arena, order, lfm_span_of(field), content, error));
    return lfm_tau2_return_text(call, "ok", error);
}

static enum lfm_status set_status(struct lfm_tau2_call *call, const char *text, struct lfm_error *error)
{
    struct lfm_py_value *status;
    LFM_TRY(lfm_py_new_str(call->arena, &status, lfm_span_of(text), error));
    return set_field(call, "status", status, error);
}

static enum lfm_status cancel_order(struct lfm_tau2_call *call, struct lfm_error *error)
{
    return set_status(call, "cancelled", error);
}

static enum lfm_status change_address(struct lfm_tau2_call *call, struct lfm_error *error)
{
    return set_field(call, "town", call->arguments[1], error);
}

static enum lfm_status refund_order(struct lfm_tau2_call *call, struct lfm_error *error)
{
    return set_status(call, "refunded", error);
}

static enum lfm_status escalate(struct lfm_tau2_call *call, struct lfm_error *error)
{
    return set_status(call, "escalated", error);
}

static const struct lfm_tau2_function functions[] = {
    {"find_customer", LFM_TAU2_READS, "email", find_customer},
    {"get_order", LFM_TAU2_READS, "order_id", get_order},
    {"cancel_order", LFM_TAU2_WRITES, "order_id", cancel_order},
    {"change_address", LFM_TAU2_WRITES, "order_id town", change_address},
    {"refund_order", LFM_TAU2_WRITES, "order_id", refund_order},
    {"escalate", LFM_TAU2_WRITES, "order_id", escalate},
    {0},
};

/* What the tools rely on. */
static enum lfm_status check_table(value db, const char *table, const char *fields, struct lfm_error *error)
{
    value rows = lfm_db_member(db, table);
    if (!rows || rows->type != LFM_PY_LIST)
        return lfm_fail(error, LFM_ERROR_FORMAT, "the database needs a list '%s'", table);
    for (size_t i = 0; i < rows->count; i++) {
        struct lfm_span rest = lfm_span_of(fields), field;
        while (lfm_py_next_word(&rest, &field)) {
            const struct lfm_py_value key = {.type = LFM_PY_STR, .text = field};
            if (rows->items[i]->type != LFM_PY_DICT || !lfm_py_get(rows->items[i], &key))
                return lfm_fail(error, LFM_ERROR_FORMAT, "row %zu of '%s' needs '%.*s'", i + 1, table,
                                (int)field.length, field.at);
        }
    }
    return LFM_OK;
}

static enum lfm_status complete(struct lfm_arena *arena, enum lfm_tau2_side side, struct lfm_py_value *db,
                                struct lfm_error *error)
{
    (void)arena;
    (void)side;
    LFM_TRY(check_table(db, "customers", "name email orders", error));
    return check_table(db, "orders", "order_id item status days town", error);
}

const struct lfm_tau2_domain lfm_tau2_service_desk = {
    .name = "service_desk",
    .sides = {[LFM_TAU2_AGENT] = {"ServiceDeskTools", "db.json", functions, schemas}},
    .max_steps = 40,
    .max_errors = 10,
    .complete = complete,
};
