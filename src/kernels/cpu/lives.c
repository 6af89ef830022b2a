/* lives.c: when each value and each gradient is needed, what is computed again instead of kept, and so where every
 * tensor lies.
 *
 * Time runs from 0 (the batch is loaded) over 1 + i (operation i forward) to 2 count - i (operation i backward). With
 * --memory fast a value lives until the last of its readers. With --memory lean the output of an operation that is
 * cheap to repeat (op_class.recompute) lives twice: forward, until its last reader there, and again from just before
 * the first operation in backward that reads it:
 *
 *     forward      conv -> x (kept) -> batch norm -> y -> next conv
 *     backward                         again: x -> y' -> gradient of the next conv's weights -> ... -> batch norm
 *
 * y' is y to the bit: same kernel, same inputs, same statistics. An output that reads another such output (a join of
 * residual blocks) makes a chain: all of it has to be there again before its last link. Longer chains keep fewer values
 * through forward but more at once in backward; the length that takes the fewest bytes is found by trying. */
#include "plan.h"

#define LONGEST_CHAIN 32 /* that is tried: about as many joins as the deepest networks have in a row (33) */

typedef struct lives {
    rs_plan *plan;
    int end;
    int *chain;  /* [node] which link of a chain of recomputed values it is, from 1; 0: kept */
    int *writer; /* [node] operation that writes it; -1: none */
    rs__span *spans;
} lives;

static bool used(const rs__span *span)
{
    return span->first <= span->last;
}

static void extend(rs__span *span, int time)
{
    span->last = time > span->last ? time : span->last;
}

/* Which outputs are computed again: those that can be, but every one after `limit` links in a row. */
static void choose_chains(lives *l, int limit)
{
    const rs_plan *plan = l->plan;
    for (int i = 0; i < plan->network->node_count; i++) {
        l->chain[i] = 0;
        l->writer[i] = -1;
    }
    for (int i = 0; i < plan->op_count; i++) {
        const rs__op *op = &plan->ops[i];
        int link = 1;
        for (int k = 0; k < op->input_count; k++) {
            int before = l->chain[op->input[k]];
            link = before + 1 > link ? before + 1 : link;
        }
        bool possible =
            plan->options.training && op->kind->recompute && op->output != rs__readable_node(plan);
        l->chain[op->output] = possible && link <= limit ? link : 0;
        l->writer[op->output] = i;
    }
}

static void find_forward_lives(lives *l)
{
    rs_plan *plan = l->plan;
    bool keep = plan->options.keep_all;
    for (int i = 0; i < plan->network->node_count; i++) {
        rs__tensor *t = &plan->tensors[i];
        t->spans[RS__SPAN_VALUE] = t->spans[RS__SPAN_AGAIN] = (rs__span){.first = 0, .last = -1};
    }
    plan->tensors[0].spans[RS__SPAN_VALUE].last = keep ? l->end : 0;
    for (int i = 0; i < plan->op_count; i++) {
        const rs__op *op = &plan->ops[i];
        bool last = op->output == rs__readable_node(plan);
        plan->tensors[op->output].spans[RS__SPAN_VALUE] =
            (rs__span){.first = 1 + i, .last = keep || last ? l->end : 1 + i};
        for (int k = 0; k < op->input_count; k++) {
            extend(&plan->tensors[op->input[k]].spans[RS__SPAN_VALUE], 1 + i);
        }
    }
}

/* Backward reads the node's value at time `now`: it is kept until then, or computed before that, after what it is made
 * from. */
static void read_in_backward(lives *l, int node, int now)
{
    rs_plan *plan = l->plan;
    rs__tensor *t = &plan->tensors[node];
    rs__span *again = &t->spans[RS__SPAN_AGAIN];
    if (l->chain[node] == 0) {
        extend(&t->spans[RS__SPAN_VALUE], now);
        return;
    }
    if (!used(again)) {
        const rs__op *op = &plan->ops[l->writer[node]];
        for (int k = 0; k < op->input_count; k++) {
            read_in_backward(l, op->input[k], now);
        }
        plan->recomputed[plan->recomputed_count++] = l->writer[node];
        *again = (rs__span){.first = now, .last = plan->options.keep_all ? l->end : now};
    }
    extend(again, now);
}

static void find_backward_lives(lives *l)
{
    rs_plan *plan = l->plan;
    plan->recomputed_count = 0;
    for (int i = plan->op_count - 1; i >= 0; i--) {
        rs__op *op = &plan->ops[i];
        int now = 2 * plan->op_count - i;
        op->first_recomputed = plan->recomputed_count;
        if (plan->options.training && op->needed) {
            if (op->kind->needs_output) {
                read_in_backward(l, op->output, now);
            }
            if (op->kind->needs_input) {
                read_in_backward(l, op->input[0], now);
            }
        }
        op->end_recomputed = plan->recomputed_count;
    }
}

static void find_gradient_lives(lives *l)
{
    rs_plan *plan = l->plan;
    int count = plan->op_count;
    bool keep = plan->options.keep_all;
    for (int i = 0; i < plan->network->node_count; i++) {
        rs__span *spans = plan->tensors[i].spans;
        spans[RS__SPAN_GRADIENT] = spans[RS__SPAN_ADDEND] = (rs__span){.first = 0, .last = -1};
    }
    for (int i = count - 1; i >= 0 && plan->options.training; i--) {
        const rs__op *op = &plan->ops[i];
        rs__span *own = &plan->tensors[op->output].spans[RS__SPAN_GRADIENT];
        int now = 2 * count - i;
        if (!op->needed) {
            continue;
        }
        if (!used(own)) { /* the last node: written from outside, before backward */
            *own = (rs__span){.first = plan->has_loss && i == count - 1 ? now : 0};
        }
        own->last = keep ? l->end : now;
        rs__span *addend = &plan->tensors[op->output].spans[RS__SPAN_ADDEND];
        addend->last = used(addend) ? now : -1;
        for (int k = 0; k < op->input_count; k++) {
            rs__span *span = &plan->tensors[op->input[k]].spans[RS__SPAN_GRADIENT];
            if (op->pass[k] == RS_PASS_SET) {
                *span = (rs__span){.first = now, .last = keep || op->input[k] == 0 ? l->end : now};
            } else if (op->pass[k] == RS_PASS_ADD && op->defers) {
                plan->tensors[op->input[k]].spans[RS__SPAN_ADDEND] = (rs__span){.first = now, .last = now};
            } else if (op->pass[k] == RS_PASS_ADD) {
                extend(span, now);
            }
        }
    }
}

/* Places every tensor with chains of at most `limit` links. */
static rs_status place(lives *l, int limit, rs_error *error)
{
    rs_plan *plan = l->plan;
    int nodes = plan->network->node_count;
    size_t samples = (size_t)rs__largest_batch(plan) * sizeof(float);
    choose_chains(l, limit);
    find_forward_lives(l);
    find_backward_lives(l);
    find_gradient_lives(l);
    for (int i = 0; i < nodes; i++) {
        rs__tensor *t = &plan->tensors[i];
        rs__tensor blocked = *t; /* as gradients always are */
        blocked.plain = false;
        for (int k = 0; k < RS__SPANS; k++) {
            const rs__tensor *shape = k == RS__SPAN_GRADIENT || k == RS__SPAN_ADDEND ? &blocked : t;
            t->spans[k].bytes = t->exists ? samples * (size_t)rs__sample_floats(plan, shape) : 0;
            l->spans[RS__SPANS * i + k] = t->spans[k];
        }
    }
    RS_TRY(rs__spans_place(l->spans, RS__SPANS * nodes, &plan->activation_bytes, error));
    for (int i = 0; i < nodes; i++) {
        for (int k = 0; k < RS__SPANS; k++) {
            plan->tensors[i].spans[k] = l->spans[RS__SPANS * i + k];
        }
    }
    return RS_OK;
}

/* The first of the lengths that take the fewest bytes. Where all is kept, for tests, what can be is computed again. */
static rs_status place_lean(lives *l, rs_error *error)
{
    int best = LONGEST_CHAIN;
    size_t fewest = SIZE_MAX;
    for (int limit = 0; limit <= LONGEST_CHAIN && !l->plan->options.keep_all; limit++) {
        RS_TRY(place(l, limit, error));
        if (l->plan->activation_bytes < fewest) {
            fewest = l->plan->activation_bytes;
            best = limit;
        }
    }
    return place(l, best, error);
}

rs_status rs__lives_place(rs_plan *plan, rs_memory_choice memory, rs_error *error)
{
    size_t nodes = (size_t)plan->network->node_count;
    lives l = {.plan = plan, .end = 2 * plan->op_count + 1};
    l.chain = rs_alloc_array(nodes, sizeof(int));
    l.writer = rs_alloc_array(nodes, sizeof(int));
    l.spans = rs_alloc_array(RS__SPANS * nodes, sizeof(rs__span));
    rs_status status = RS_OK;
    if (!l.chain || !l.writer || !l.spans) {
        status = RS_FAIL(error, RS_MEMORY, "no memory to plan %zu nodes", nodes);
    } else {
        status = memory == RS_MEMORY_LEAN ? place_lean(&l, error) : place(&l, 0, error);
    }
    rs_free(l.chain);
    rs_free(l.writer);
    rs_free(l.spans);
    return status;
}
