/* samples.c: operations that work on samples apart, in segments.
 *
 *     linear  relu  linear  relu  loss            one parallel region
 *     ------------------------------- samples 0 ..    of group 0, tile by tile
 *     ------------------------------- samples 125 ..  of group 1 ...
 *
 * A small network is mostly one segment: its step costs two regions instead of forty, and what one operation writes the
 * next one finds in the first cache. Where the work is not worth waking a second thread, there is no region at all. */
#include <omp.h>

#include "plan.h"

enum {
    TILE_FLOATS = 2048,      /* of the widest tensor of a segment */
    WORTH_THREADS = 1 << 14, /* vector operations: some 10 us */
    PARTS = 64               /* of a batch where nothing is summed over samples */
};

bool rs__worth_threads(int64_t operations)
{
    return operations >= WORTH_THREADS;
}

int64_t rs__group_count(const rs_plan *plan)
{
    return plan->groups < plan->count ? plan->groups : plan->count;
}

/* Where part number `part` of `parts` begins: their sizes differ by one at most. */
static int64_t part_first(const rs_plan *plan, int64_t part, int64_t parts)
{
    return part * plan->count / parts;
}

int64_t rs__group_first(const rs_plan *plan, int64_t group)
{
    return part_first(plan, group, rs__group_count(plan));
}

int64_t rs__group_of(const rs_plan *plan, int64_t sample)
{
    return ((sample + 1) * rs__group_count(plan) - 1) / plan->count;
}

void *rs__thread_scratch(const rs_plan *plan)
{
    return (char *)plan->shared + (size_t)omp_get_thread_num() * plan->thread_bytes;
}

static bool works_on_samples(const rs__op *op)
{
    return op->kind->forward_samples != NULL;
}

void rs__plan_segments(rs_plan *plan)
{
    for (int i = 0; i < plan->op_count; i++) {
        rs__op *op = &plan->ops[i];
        const rs__tensor *out = &plan->tensors[op->output];
        int64_t vectors = out->blocks * out->height * out->width;
        op->cost = op->cost ? op->cost : vectors * (op->kind->cost ? op->kind->cost : 1);
    }
    for (int first = 0, end; first < plan->op_count; first = end) {
        end = first + 1;
        while (works_on_samples(&plan->ops[first]) && end < plan->op_count &&
               works_on_samples(&plan->ops[end])) {
            end++;
        }
        plan->ops[first].segment_end = end;
    }
}

/* How a segment is run over the loaded batch. */
typedef struct walk {
    rs_plan *plan;
    int first, end; /* operations */
    int64_t parts;  /* that threads share */
    int64_t tile;   /* samples that go through all operations at once */
    bool parallel;
    rs_mode mode;
} walk;

static walk walk_of(rs_plan *plan, int first, int end)
{
    walk w = {.plan = plan, .first = first, .end = end};
    int64_t widest = 1, cost = 0, wanted = 1;
    bool sums = false;
    for (int i = first; i < end; i++) {
        int64_t floats = rs__sample_floats(plan, &plan->tensors[plan->ops[i].output]);
        widest = floats > widest ? floats : widest;
        cost += plan->ops[i].cost;
        wanted = plan->ops[i].tile > wanted ? plan->ops[i].tile : wanted;
        sums = sums || plan->ops[i].kind->end_backward;
    }
    w.parts = sums ? rs__group_count(plan) : plan->count < PARTS ? plan->count : PARTS;
    w.tile = TILE_FLOATS / widest > wanted ? TILE_FLOATS / widest / wanted * wanted : wanted;
    w.parallel = rs__worth_threads(cost * plan->count);
    return w;
}

/* The samples of a part's tile; false after the last. */
static bool next_tile(const walk *w, int64_t part, int64_t *first, int64_t *last)
{
    int64_t end = part_first(w->plan, part + 1, w->parts);
    *last = *first + w->tile < end ? *first + w->tile : end;
    return *first < end;
}

static void forward_part(const walk *w, int64_t part)
{
    int64_t first = part_first(w->plan, part, w->parts), last;
    for (; next_tile(w, part, &first, &last); first = last) {
        for (int i = w->first; i < w->end; i++) {
            const rs__op *op = &w->plan->ops[i];
            op->kind->forward_samples(w->plan, op, w->mode, first, last);
        }
    }
}

rs_status rs__segment_forward(rs_plan *plan, int first, int end, rs_mode mode, rs_error *error)
{
    walk w = walk_of(plan, first, end);
    w.mode = mode;
    for (int i = first; i < end; i++) {
        if (plan->ops[i].kind->begin_forward) {
            RS_TRY(plan->ops[i].kind->begin_forward(plan, &plan->ops[i], error));
        }
    }
#pragma omp parallel for schedule(static) num_threads(plan->device->threads) if (w.parallel)
    for (int64_t part = 0; part < w.parts; part++) {
        forward_part(&w, part);
    }
    for (int i = first; i < end; i++) {
        if (plan->ops[i].kind->end_forward) {
            plan->ops[i].kind->end_forward(plan, &plan->ops[i]);
        }
    }
    return RS_OK;
}

/* What a convolution has left to add to the gradient of the operation's output. */
static void add_addend(const rs_plan *plan, const rs__op *op, int64_t first, int64_t last)
{
    const rs__tensor *t = &plan->tensors[op->output];
    int64_t floats = rs__sample_floats(plan, t), at = first * floats;
    if (t->addend) {
        plan->device->kernels->pass_gradient(t->addend + at, t->gradient + at, RS_PASS_ADD,
                                             (last - first) * floats);
    }
}

static void backward_part(const walk *w, int64_t part)
{
    int64_t first = part_first(w->plan, part, w->parts), last;
    for (; next_tile(w, part, &first, &last); first = last) {
        for (int i = w->end - 1; i >= w->first; i--) {
            const rs__op *op = &w->plan->ops[i];
            if (op->needed) {
                add_addend(w->plan, op, first, last);
                rs__objectives_backward(w->plan, op, first, last);
                op->kind->backward_samples(w->plan, op, first, last);
            }
        }
    }
}

void rs__segment_backward(rs_plan *plan, int first, int end)
{
    walk w = walk_of(plan, first, end);
    for (int i = end - 1; i >= first; i--) {
        if (plan->ops[i].needed && plan->ops[i].kind->begin_backward) {
            plan->ops[i].kind->begin_backward(plan, &plan->ops[i]);
        }
    }
#pragma omp parallel for schedule(static) num_threads(plan->device->threads) if (w.parallel)
    for (int64_t part = 0; part < w.parts; part++) {
        backward_part(&w, part);
    }
    for (int i = end - 1; i >= first; i--) {
        if (plan->ops[i].needed && plan->ops[i].kind->end_backward) {
            plan->ops[i].kind->end_backward(plan, &plan->ops[i]);
        }
    }
}
