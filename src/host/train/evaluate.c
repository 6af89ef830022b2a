/* evaluate.c: a split in evaluation mode. Sums run in the order of the data set, so they depend on nothing else. */
#include <math.h>

#include "internal.h"

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

rs_status rs__evaluate(rs_trainer *trainer, rs_loader *loader, double *loss, double *accuracy,
                       rs_error *error)
{
    const rs_backend *backend = trainer->options.backend;
    rs__epoch_sums sums = {0};
    rs_batch batch;
    *loss = *accuracy = (double)NAN;
    if (!loader) {
        return RS_OK;
    }
    RS_TRY(rs_loader_start(loader, 0, 0, error));
    for (;;) {
        RS_TRY(rs_loader_next(loader, &batch, error));
        if (batch.count == 0) {
            break;
        }
        if (rs__stop_asked(trainer)) {
            return rs__interrupted(error);
        }
        rs_loss result;
        RS_TRY(backend->load_batch(trainer->plan, &batch, error));
        RS_TRY(backend->forward(trainer->plan, RS_MODE_EVALUATE, error));
        RS_TRY(backend->read_loss(trainer->plan, &result, error));
        rs__sums_add(trainer, &sums, &result, batch.count);
    }
    rs__sums_means(trainer, &sums, loss, accuracy);
    return RS_OK;
}
