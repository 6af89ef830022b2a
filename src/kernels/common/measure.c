/* measure.c: see measure.h. */
#include "measure.h"

#include "losses.h"

/* Sets one metric's row of block distances. */
static void add_up(const rs_network *network, const rs_metric_list *metrics, int metric,
                   const rs_update_sums *sums, bool initial, double *row)
{
    for (int b = 0; b < network->block_count; b++) {
        row[b] = 0.0;
    }
    for (int i = 0; i < network->parameter_count; i++) {
        const rs_parameter *p = &network->parameters[i];
        const rs_difference_sums *from = initial ? &sums[i].to_initial : &sums[i].to_previous;
        if (p->block >= 0) {
            row[p->block] += rs_metric_finish(metrics, metric, from, p->count);
        }
    }
}

void rs_measure_distances(const rs_network *network, const rs_metric_list *metrics,
                          const rs_update_sums *sums, bool initial, const rs_measurement *measurement)
{
    for (int m = 0; m < metrics->count; m++) {
        if (measurement->to_initial && initial) {
            add_up(network, metrics, m, sums, true, measurement->to_initial + m * network->block_count);
        }
        if (measurement->to_previous) {
            add_up(network, metrics, m, sums, false, measurement->to_previous + m * network->block_count);
        }
    }
}

void rs_measure_gradients(const rs_network *network, const rs_update_sums *sums,
                          const rs_measurement *measurement)
{
    for (int i = 0; i < network->parameter_count; i++) {
        const rs_gradient_sums *gradient = &sums[i].gradient;
        int64_t count = network->parameters[i].count;
        if (measurement->gradient_abs_mean) {
            measurement->gradient_abs_mean[i] = (float)rs_gradient_abs_mean(gradient, count);
        }
        if (measurement->gradient_abs_std) {
            measurement->gradient_abs_std[i] = (float)rs_gradient_abs_std(gradient, count);
        }
        if (measurement->gradient_norms) {
            measurement->gradient_norms[i] = (float)sqrt(gradient->squares);
        }
    }
}

rs_sensitivity rs_measure_sensitivity(const rs_network *network, const double *squares, int64_t count)
{
    double all = 0.0, norms = 0.0;
    for (int64_t i = 0; i < count; i++) {
        all += squares[i];
        norms += sqrt(squares[i]);
    }
    return (rs_sensitivity){.batch = sqrt(all),
                            .sample = rs_loss_sample_factor(network, count) * (norms / (double)count)};
}
