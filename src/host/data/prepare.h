/* prepare.h: what a request does to a set that was read: normalization, the validation split, random labels. */
#ifndef RS_DATA_PREPARE_H
#define RS_DATA_PREPARE_H

#include "formats.h"

/* The numbers of a set's channels, into loaded->mean and std; before the training samples are divided. USAGE: more or
 * fewer pairs than channels; a channel of the training images that is all one byte; a set of numbers. */
rs_status rs__normalize(const rs__set *set, const rs_dataset_request *request, size_t image_bytes,
                        rs__loaded *loaded, rs_error *error);

#define RS__SPLIT_ALGORITHM "first-of-permutation-" RS_ORDER_ALGORITHM
/* Moves the validation samples, drawn by the seed, from loaded->train to loaded->valid; both keep their order. Then swaps
 * the two, where that is asked for. USAGE: no sample would be left. */
rs_status rs__divide(const rs_dataset_request *request, size_t image_bytes, rs__loaded *loaded,
                     rs_error *error);

/* Draws labels of training samples anew, and counts them. USAGE: a set without labels. */
rs_status rs__randomize_labels(const rs__set *set, const rs_dataset_request *request, rs__loaded *loaded,
                               rs_error *error);

#endif
