/* evaluate.c: a split in evaluation mode. Sums run in the order of the data set, so they depend on nothing else. */
#include <math.h>

#include "internal.h"
#include "rs/host.h"

void rs__sums_add(const rs_trainer *trainer, rs__epoch_sums *sums, const rs_loss *result, int64_t samples)
{
    sums->loss += trainer->reduction == RS_REDUCTION_SUM ? result->loss : result->loss * (double)samples;
    sums->correct += result->correct;
    sums->samples += samples;
}

void rs__sums_means(const rs_trainer *trainer, const rs__epoch_sums *sums, double *loss, double *accuracy)
{
    *loss = sums->loss / (double)sums->samples;
    *accuracy = trainer->regression ? (double)NAN : (double)sums->correct / (double)sums->samples;
}

/* What an evaluation gathers; outputs: room for those of the largest batch, which is the first. */
typedef struct gathered {
    rs__epoch_sums sums;
    int64_t batches, bad; /* how many; the first whose loss is not finite, or -1 */
    rs__fit_sums fit;
    float *outputs;
} gathered;

/* Outputs beside their targets, where the network predicts numbers. */
static rs_status compare_numbers(rs_trainer *trainer, const rs_batch *batch, gathered *all, rs_error *error)
{
    const rs_network *network = trainer->options.network;
    const int node = network->nodes[network->node_count - 1].input[0];
    const int64_t *shape = network->nodes[node].shape,
                  numbers = batch->count * shape[0] * shape[1] * shape[2];
    if (!all->outputs) {
        all->outputs = rs_alloc_array((size_t)numbers, sizeof *all->outputs);
    }
    if (!all->outputs) {
        return RS_FAIL(error, RS_MEMORY, "no memory for the outputs of %lld samples",
                       (long long)batch->count);
    }
    RS_TRY(trainer->options.backend->read_node(trainer->plan, RS_NODE_OUTPUT, node, all->outputs, error));
    rs__fit_add(&all->fit, all->outputs, batch->targets, numbers);
    return RS_OK;
}

static rs_status evaluate_batch(rs_trainer *trainer, const rs_batch *batch, gathered *all, rs_error *error)
{
    const rs_backend *backend = trainer->options.backend;
    rs_loss result;
    RS_TRY(backend->load_batch(trainer->plan, batch, error));
    RS_TRY(backend->forward(trainer->plan, RS_MODE_EVALUATE, error));
    RS_TRY(backend->read_loss(trainer->plan, &result, error));
    rs__sums_add(trainer, &all->sums, &result, batch->count);
    all->bad = all->bad < 0 && !isfinite(result.loss) ? all->batches : all->bad;
    all->batches++;
    return trainer->regression && batch->targets ? compare_numbers(trainer, batch, all, error) : RS_OK;
}

static rs_status evaluate_split(rs_trainer *trainer, rs_loader *loader, gathered *all, rs_error *error)
{
    rs_batch batch;
    RS_TRY(rs_loader_start(loader, 0, 0, error));
    for (;;) {
        RS_TRY(rs_loader_next(loader, &batch, error));
        if (batch.count == 0) {
            return RS_OK;
        }
        if (rs__stop_asked(trainer)) {
            return rs__interrupted(error);
        }
        RS_TRY(evaluate_batch(trainer, &batch, all, error));
    }
}

rs_status rs__evaluate(rs_trainer *trainer, rs_loader *loader, rs__score *score, rs_error *error)
{
    gathered all = {.bad = -1};
    *score = (rs__score){(double)NAN, (double)NAN, rs__fit_of(&all.fit), -1};
    if (!loader) {
        return RS_OK;
    }
    rs_status status = evaluate_split(trainer, loader, &all, error);
    if (!status) {
        rs__sums_means(trainer, &all.sums, &score->loss, &score->accuracy);
        score->fit = rs__fit_of(&all.fit);
        score->bad = all.bad;
    }
    rs_free(all.outputs);
    return status;
}
