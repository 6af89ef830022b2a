/* stop.c: rules that end a run before its last epoch. */
#include <math.h>

#include "internal.h"

bool rs__stop_rules(rs_trainer *trainer, double train_loss)
{
    const rs_config *config = trainer->options.config;
    rs__stop *stop = &trainer->stop;
    const int64_t epoch = trainer->position.epochs - 1; /* the one that has just ended, from 0 */
    const bool change = config->stop_change > 0.0 && stop->has_last && epoch >= config->stop_change_from &&
                        fabs(train_loss - stop->last_loss) < config->stop_change;
    const bool gradient = config->stop_gradient > 0.0 && stop->last_norm < config->stop_gradient;
    stop->last_loss = train_loss;
    stop->has_last = true;
    stop->ended = change ? RS__STOP_CHANGE : gradient ? RS__STOP_GRADIENT : RS__STOP_NONE;
    return stop->ended != RS__STOP_NONE;
}

const char *rs_trainer_reason(const rs_trainer *trainer)
{
    static const char *const names[] = {
        [RS__STOP_NONE] = "epochs", [RS__STOP_CHANGE] = "stop-change", [RS__STOP_GRADIENT] = "stop-gradient"};
    const bool known = trainer->stop.ended >= RS__STOP_NONE && trainer->stop.ended <= RS__STOP_GRADIENT;
    return known ? names[trainer->stop.ended] : names[RS__STOP_NONE];
}
