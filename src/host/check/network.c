/* network.c: a case's network, and its twin for finite differences over cuts; see rs/check.h and twin.h. */
#include <stdio.h>

#include "twin.h"

static int op_count(const rs_check_case *c)
{
    int count = 0;
    while (count < RS_CHECK_NODES && c->ops[count].kind != RS_OP_INPUT) {
        count++;
    }
    return count;
}

/* What is put before a copy of the operators, where its nodes begin, and where what crosses a cut comes from. */
typedef struct copy {
    const char *prefix;
    int shift;
    const rs_check_settings *cuts; /* NULL: nothing is cut */
} copy;

static bool is_cut(const copy *as, int node, int k)
{
    bool cut = false;
    for (int i = 0; as->cuts && i < rs_check_cut_count(as->cuts); i++) {
        cut = cut || (as->cuts->cuts[i].node == node && as->cuts->cuts[i].input == k);
    }
    return cut;
}

/* The node that input k of operator `node` (from 1) reads. */
static int source(const rs_check_case *c, const copy *as, int node, int k)
{
    int from = c->ops[node - 1].from[k];
    from = from == RS_CHECK_PREVIOUS ? node - 1 : from;
    return from == 0 || is_cut(as, node, k) ? from : from + as->shift;
}

static rs_status add_nodes(const rs_check_case *c, const copy *as, rs_network *network, rs_error *error)
{
    for (int i = 1; i <= op_count(c); i++) {
        const rs_check_op *op = &c->ops[i - 1];
        char name[RS_NAME_MAX];
        int node;
        (void)snprintf(name, sizeof name, "%s%s%d", as->prefix, rs_op_name(op->kind), i);
        rs_node_spec spec = {.name = name,
                             .kind = op->kind,
                             .attributes = op->attributes,
                             .input = {source(c, as, i, 0), source(c, as, i, 1)},
                             .block = -1};
        RS_TRY(rs_network_add(network, &spec, &node, error));
    }
    return RS_OK;
}

/* Scores of a loss at the end: the channels before it. */
static int classes_of(const rs_check_case *c)
{
    int64_t channels = c->shape[0];
    for (int i = 0; i < op_count(c); i++) {
        channels = c->ops[i].attributes.channels ? c->ops[i].attributes.channels : channels;
    }
    return (int)channels;
}

static rs_status make(const rs_check_case *c, const copy *copies, int count, rs_network **network,
                      rs_error *error)
{
    rs_network *made;
    RS_TRY(rs_network_create(c->name, c->shape[0], c->shape[1], c->shape[2], classes_of(c), &made, error));
    rs_status status = RS_OK;
    for (int i = 0; !status && i < count; i++) {
        status = add_nodes(c, &copies[i], made, error);
    }
    status = status ? status : rs_network_finish(made, error);
    if (status) {
        rs_network_destroy(made);
        return rs_error_prefix(error, "case %s", c->name);
    }
    *network = made;
    return RS_OK;
}

rs_status rs_check_network(const rs_check_case *c, rs_network **network, rs_error *error)
{
    const copy own = {.prefix = ""};
    return make(c, &own, 1, network, error);
}

rs_status rs_check_twin_network(const rs_check_case *c, rs_network **network, rs_error *error)
{
    const copy copies[] = {{.prefix = "held_"},
                           {.prefix = "", .shift = op_count(c), .cuts = rs_check_settings_of(c)}};
    return make(c, copies, 2, network, error);
}

bool rs_check_has_operator(const rs_check_case *c, rs_op_kind kind)
{
    for (int i = 0; i < op_count(c); i++) {
        if (c->ops[i].kind == kind) {
            return true;
        }
    }
    return false;
}

bool rs_check_has_kinks(const rs_check_case *c)
{
    return rs_check_has_operator(c, RS_OP_RELU) || rs_check_has_operator(c, RS_OP_MAX_POOL);
}

bool rs_check_has_modes(const rs_check_case *c)
{
    return rs_check_has_operator(c, RS_OP_BATCH_NORM) || rs_check_has_operator(c, RS_OP_DROPOUT);
}
