/* planned.c: when snapshots fall due, and how many steps and snapshots a whole run has. */
#include "internal.h"

bool rs__snapshot_due(const rs_config *config, int64_t epochs_done, int64_t steps_done)
{
    return (epochs_done >= 0 && rs_config_snapshot_epoch(config, epochs_done)) ||
           rs_config_snapshot_step(config, steps_done);
}

int64_t rs__batch_size(const rs_config *config, const rs_dataset *dataset)
{
    return config->batch_size > 0 ? config->batch_size : dataset->train.count;
}

void rs_trainer_planned(const rs_config *config, const rs_dataset *dataset, int64_t *steps,
                        int64_t *snapshots)
{
    const int64_t batch = rs__batch_size(config, dataset);
    int64_t batches = (dataset->train.count + batch - 1) / batch;
    *steps = config->epochs * batches;
    *snapshots = rs__snapshot_due(config, 0, 0);
    for (int64_t step = 1; step <= *steps; step++) {
        *snapshots += rs__snapshot_due(config, step % batches ? -1 : step / batches, step);
    }
    const bool rules = config->stop_change > 0.0 || config->stop_gradient > 0.0;
    *snapshots += rules && *snapshots > 0; /* the state that a rule ends on is kept, too */
}
