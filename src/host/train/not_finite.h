/* not_finite.h: finding and naming the first tensor of a step that is not finite. */
#ifndef RS_TRAIN_NOT_FINITE_H
#define RS_TRAIN_NOT_FINITE_H

#include "internal.h"

/* After a forward pass in training mode whose loss has been read, before backward: where that loss, or one of a layer
 * that counts, is not finite, fills trainer->not_finite. Only for devices that work step by step. */
rs_status rs__look_after_forward(rs_trainer *trainer, const rs_batch *batch, const rs_loss *result,
                                 rs_error *error);
/* After an update whose loss or norm is not finite: gradients, then weights, then running statistics as they stand. */
void rs__look_after_update(rs_trainer *trainer, double task_loss);
/* Of a batch of a split whose loss in evaluation mode is not finite: the input and outputs of the network. */
void rs__look_at_split(rs_trainer *trainer, rs_loader *loader, int64_t batch);
/* Whether a slot's values are; fills trainer->not_finite where they are not. */
bool rs__slot_is_finite(rs_trainer *trainer, rs_slot slot, int index, const void *values);

/* "first not finite: output of conv1 at [0, 3, 1, 2], inf (12 of 4096 values)" */
void rs__not_finite_say(const rs__not_finite *found, char *text, size_t capacity);
/* Puts it down for the record (rs_trainer_not_finite), with the steps and epochs that the record covers. */
void rs__not_finite_note(rs_trainer *trainer, int64_t steps, int64_t epochs);

#endif
