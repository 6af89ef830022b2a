/* lives.c: see lives.h. */
#include "lives.h"

#include "rs/host.h"

#define LONGEST_CHAIN 32 /* that is tried: about as many joins as the deepest networks have in a row (33) */

static bool used(const rs__span *span)
{
    return span->first <= span->last;
}

static void extend(rs__span *span, int time)
{
    span->last = time > span->last ? time : span->last;
}

static int end_of_time(const rs__lives *l)
{
    return 2 * l->operations->count + 1;
}

static rs__span *span_of(rs__lives *l, int node, int which)
{
    return &l->tensors[node].spans[which];
}

/* Which outputs are computed again: those that can be, but every one after `limit` links in a row. */
static void choose_chains(rs__lives *l, int limit)
{
    for (int i = 0; i < l->node_count; i++) {
        l->chain[i] = 0;
        l->writer[i] = -1;
    }
    for (int i = 0; i < l->operations->count; i++) {
        const rs_operation *op = &l->operations->list[i];
        int link = 1;
        for (int k = 0; k < op->input_count; k++) {
            int before = l->chain[op->input[k]];
            link = before + 1 > link ? before + 1 : link;
        }
        bool possible = l->training && l->ops[i].repeats && op->output != l->readable;
        l->chain[op->output] = possible && link <= limit ? link : 0;
        l->writer[op->output] = i;
    }
}

static void find_forward_lives(rs__lives *l)
{
    for (int i = 0; i < l->node_count; i++) {
        *span_of(l, i, RS__SPAN_VALUE) = *span_of(l, i, RS__SPAN_AGAIN) = (rs__span){.first = 0, .last = -1};
    }
    span_of(l, 0, RS__SPAN_VALUE)->last = l->keep_all ? end_of_time(l) : 0;
    for (int i = 0; i < l->operations->count; i++) {
        const rs_operation *op = &l->operations->list[i];
        bool last = l->keep_all || op->output == l->readable;
        *span_of(l, op->output, RS__SPAN_VALUE) =
            (rs__span){.first = 1 + i, .last = last ? end_of_time(l) : 1 + i};
        for (int k = 0; k < op->input_count; k++) {
            extend(span_of(l, op->input[k], RS__SPAN_VALUE), 1 + i);
        }
    }
}

/* Backward reads the node's value at time `now`: it is kept until then, or computed before that, after what it is made
 * from. */
static void read_in_backward(rs__lives *l, int node, int now)
{
    rs__span *again = span_of(l, node, RS__SPAN_AGAIN);
    if (l->chain[node] == 0) {
        extend(span_of(l, node, RS__SPAN_VALUE), now);
        return;
    }
    if (!used(again)) {
        const rs_operation *op = &l->operations->list[l->writer[node]];
        for (int k = 0; k < op->input_count; k++) {
            read_in_backward(l, op->input[k], now);
        }
        l->again[l->again_count++] = l->writer[node];
        *again = (rs__span){.first = now, .last = l->keep_all ? end_of_time(l) : now};
    }
    extend(again, now);
}

static void find_backward_lives(rs__lives *l)
{
    int count = l->operations->count;
    l->again_count = 0;
    for (int i = count - 1; i >= 0; i--) {
        const rs_operation *op = &l->operations->list[i];
        rs__life_op *own = &l->ops[i];
        int now = 2 * count - i;
        own->first_again = l->again_count;
        if (l->training && op->needed) {
            if (own->needs_output) {
                read_in_backward(l, op->output, now);
            }
            if (own->needs_input) {
                read_in_backward(l, op->input[0], now);
            }
            if (own->needs_second) {
                read_in_backward(l, op->input[1], now);
            }
        }
        own->end_again = l->again_count;
    }
}

/* The gradients that one operation's backward, at time `now`, reads, sets and adds to. */
static void find_gradients_of(rs__lives *l, const rs_operation *op, bool last, int now)
{
    int end = end_of_time(l);
    rs__span *own = span_of(l, op->output, RS__SPAN_GRADIENT);
    if (!used(
            own)) { /* a loss, an objective that nothing follows; or written from outside, before backward */
        *own = (rs__span){.first = l->has_loss || !last ? now : 0};
    }
    own->last = l->keep_all ? end : now;
    rs__span *addend = span_of(l, op->output, RS__SPAN_ADDEND);
    addend->last = used(addend) ? now : -1;
    for (int k = 0; k < op->input_count; k++) {
        rs__span *span = span_of(l, op->input[k], RS__SPAN_GRADIENT);
        if (op->pass[k] == RS_PASS_SET) {
            *span = (rs__span){.first = now, .last = l->keep_all || op->input[k] == 0 ? end : now};
        } else if (op->pass[k] == RS_PASS_ADD && op->defers) {
            *span_of(l, op->input[k], RS__SPAN_ADDEND) = (rs__span){.first = now, .last = now};
        } else if (op->pass[k] == RS_PASS_ADD) {
            extend(span, now);
        }
    }
}

static void find_gradient_lives(rs__lives *l)
{
    int count = l->operations->count;
    for (int i = 0; i < l->node_count; i++) {
        *span_of(l, i, RS__SPAN_GRADIENT) = *span_of(l, i, RS__SPAN_ADDEND) =
            (rs__span){.first = 0, .last = -1};
    }
    for (int i = count - 1; i >= 0 && l->training; i--) {
        if (l->operations->list[i].needed) {
            find_gradients_of(l, &l->operations->list[i], i == count - 1, 2 * count - i);
        }
    }
}

/* Places every tensor with chains of at most `limit` links. */
static rs_status place(rs__lives *l, int limit, rs_error *error)
{
    choose_chains(l, limit);
    find_forward_lives(l);
    find_backward_lives(l);
    find_gradient_lives(l);
    for (int i = 0; i < l->node_count; i++) {
        rs__life_tensor *t = &l->tensors[i];
        for (int k = 0; k < RS__SPANS; k++) {
            bool gradient = k == RS__SPAN_GRADIENT || k == RS__SPAN_ADDEND;
            t->spans[k].bytes = gradient ? t->gradient_bytes : t->value_bytes;
            l->flat[RS__SPANS * i + k] = t->spans[k];
        }
    }
    RS_TRY(rs__spans_place(l->flat, RS__SPANS * l->node_count, &l->bytes, error));
    for (int i = 0; i < l->node_count; i++) {
        for (int k = 0; k < RS__SPANS; k++) {
            l->tensors[i].spans[k] = l->flat[RS__SPANS * i + k];
        }
    }
    return RS_OK;
}

/* The first of the lengths that take the fewest bytes. Where all is kept, for tests, what can be is computed again. */
static rs_status place_lean(rs__lives *l, rs_error *error)
{
    int best = LONGEST_CHAIN;
    size_t fewest = SIZE_MAX;
    for (int limit = 0; limit <= LONGEST_CHAIN && !l->keep_all; limit++) {
        RS_TRY(place(l, limit, error));
        if (l->bytes < fewest) {
            fewest = l->bytes;
            best = limit;
        }
    }
    return place(l, best, error);
}

rs_status rs__lives_make(const rs_operations *operations, int node_count, rs__lives *lives, rs_error *error)
{
    size_t nodes = (size_t)node_count, ops = (size_t)operations->count;
    *lives = (rs__lives){.operations = operations, .node_count = node_count};
    lives->tensors = rs_alloc_array(nodes, sizeof *lives->tensors);
    lives->ops = rs_alloc_array(ops, sizeof *lives->ops);
    lives->again = rs_alloc_array(ops, sizeof *lives->again);
    lives->chain = rs_alloc_array(nodes, sizeof *lives->chain);
    lives->writer = rs_alloc_array(nodes, sizeof *lives->writer);
    lives->flat = rs_alloc_array(RS__SPANS * nodes, sizeof *lives->flat);
    if (!lives->tensors || !lives->ops || !lives->again || !lives->chain || !lives->writer || !lives->flat) {
        return RS_FAIL(error, RS_MEMORY, "no memory to plan %d nodes", node_count);
    }
    return RS_OK;
}

rs_status rs__lives_place(rs__lives *lives, rs_memory_choice memory, rs_error *error)
{
    return memory == RS_MEMORY_LEAN ? place_lean(lives, error) : place(lives, 0, error);
}

void rs__lives_release(rs__lives *lives)
{
    rs_free(lives->tensors);
    rs_free(lives->ops);
    rs_free(lives->again);
    rs_free(lives->chain);
    rs_free(lives->writer);
    rs_free(lives->flat);
    *lives = (rs__lives){0};
}
