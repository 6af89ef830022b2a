/* evaluate.c: the test set in evaluation mode. Sums run in the order of the data set, so they depend on
 * nothing else. */
#include "internal.h"

rs_status rs__evaluate(rs_trainer *trainer, double *loss, double *accuracy, rs_error *error)
{
    const rs_backend *backend = trainer->options.backend;
    rs__epoch_sums sums = {0};
    rs_batch batch;
    RS_TRY(rs_loader_start(trainer->test, 0, 0, error));
    for (;;) {
        RS_TRY(rs_loader_next(trainer->test, &batch, error));
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
        sums.loss += result.loss * (double)batch.count;
        sums.correct += result.correct;
        sums.samples += batch.count;
    }
    *loss = sums.loss / (double)sums.samples;
    *accuracy = (double)sums.correct / (double)sums.samples;
    return RS_OK;
}
