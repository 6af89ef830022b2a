/* schedule.c: learning rate of an epoch, PyTorch's closed forms; the rate of epoch e is computed from e
 * before it trains.
 *
 *   step             r0 gamma^floor(e / step)
 *   exponential      r0 gamma^e
 *   inverse-time     r0 / (1 + k e)
 *   cosine           min + (r0 - min) (1 + cos(pi e / T)) / 2
 *   cosine-restarts  cosine over the period under way: T_0, T_0 m, T_0 m^2, ... (SGDR, Loshchilov and Hutter
 *                    2017) */
#include <math.h>
#include <string.h>

#include "rs/trainer.h"

static double cosine(double highest, double lowest, double part)
{
    return lowest + (highest - lowest) * (1.0 + cos(3.14159265358979323846 * part)) / 2.0;
}

static double cosine_restarts(const rs_config *config, int64_t epoch)
{
    int64_t period = config->schedule_t0, current = epoch;
    while (current >= period) {
        current -= period;
        if (__builtin_mul_overflow(period, config->schedule_t_mult, &period)) {
            period = INT64_MAX;
        }
    }
    return cosine(config->learning_rate, config->schedule_min, (double)current / (double)period);
}

double rs_learning_rate(const rs_config *config, int64_t epoch)
{
    double first = config->learning_rate, e = (double)epoch;
    if (strcmp(config->schedule, "step") == 0) {
        int64_t drops = epoch / config->schedule_step;
        return first * pow(config->schedule_gamma, (double)drops);
    }
    if (strcmp(config->schedule, "exponential") == 0) {
        return first * pow(config->schedule_gamma, e);
    }
    if (strcmp(config->schedule, "inverse-time") == 0) {
        return first / (1.0 + config->schedule_k * e);
    }
    if (strcmp(config->schedule, "cosine") == 0) {
        return cosine(first, config->schedule_min, e / (double)config->epochs);
    }
    if (strcmp(config->schedule, "cosine-restarts") == 0) {
        return cosine_restarts(config, epoch);
    }
    return first;
}
