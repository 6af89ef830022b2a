/* curvature.h: loss, gradient and products of the second derivatives with a direction, exact in double precision.
 *
 * One pass of forward and backward in the numbers of numbers.h: weights w + ihv give the gradient g + ihHv. The loss is
 * that of the network's last node as a mean over the samples, dropout passes everything on, and batch norm takes the
 * running statistics, or those of each batch, whose own derivatives then count. Samples are worked on in batches by
 * several threads; sums run in an order that the number of threads does not change. */
#ifndef RS_ANALYZE_CURVATURE_H
#define RS_ANALYZE_CURVATURE_H

#include "rs/dataset.h"
#include "rs/network.h"
#include "rs/status.h"

typedef struct rs__curvature_options {
    const rs_network *network; /* borrowed, as all here */
    const rs_dataset *dataset; /* normalisation */
    const rs_split *split;
    int64_t samples;              /* the first so many of the split */
    int64_t batch;                /* samples of a batch; 0: as many as are handy */
    bool batch_statistics;        /* of batch norm; the last, smaller batch counts as it is */
    const double *const *running; /* [buffer], without batch_statistics */
    int threads;                  /* 0: one per core */
} rs__curvature_options;

typedef struct rs__curvature rs__curvature;

/* UNSUPPORTED where the last node is no loss or the network has an operator that is not known here. MEMORY. */
rs_status rs__curvature_create(const rs__curvature_options *options, rs__curvature **curvature,
                               rs_error *error);
void rs__curvature_destroy(rs__curvature *curvature); /* takes NULL */

/* Number of weights: all parameters one after the other in the network's order. */
int64_t rs__curvature_size(const rs__curvature *curvature);
/* Samples of a batch. */
int64_t rs__curvature_batch(const rs__curvature *curvature);
/* Each of gradient [size], product [size] and loss may be NULL; so may direction [size], without product. */
void rs__curvature_product(rs__curvature *curvature, const double *weights, const double *direction,
                           double *loss, double *gradient, double *product);

#endif
