/* result_axes.h: labels and scales of the axes of a file of results. */
#ifndef RS_RECORD_RESULT_AXES_H
#define RS_RECORD_RESULT_AXES_H

#include "h5.h"
#include "rs/result_file.h"

/* Gives every axis of a new data set its label and a scale. The scale of an axis lies in the folder that the array's path begins
 * with ("epochs/train_loss/mean", axis group: epochs/group) and counts from 0; an array of one axis that has the name of that axis
 * ("run0/block") is the scale itself. Where a name stands for another length there, the array has labels only. */
rs_status rs__result_axes(hid_t file, hid_t dataset, const rs_result_array *array, rs_error *error);

#endif
