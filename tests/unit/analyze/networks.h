/* networks.h: small networks with all their weights in double, and the reference backend's gradient of them. */
#ifndef RS_TEST_ANALYZE_NETWORKS_H
#define RS_TEST_ANALYZE_NETWORKS_H

#include "harness.h"
#include "rs/backend.h"
#include "rs/dataset.h"
#include "rs/network.h"

typedef struct layer {
    rs_op_kind kind;
    rs_node_attributes attributes;
    int back; /* how many nodes the second input stands further back than the first, or that of a single input: 0 */
} layer;

/* A network of layers, each on the one before, ended by kind INPUT; the caller destroys it. */
rs_network *network_of(const char *name, int64_t channels, int64_t side, int classes, const layer *layers);

typedef struct problem {
    rs_network *network;
    rs_dataset dataset;
    float *values, *targets;
    int32_t *labels;
    double *weights; /* all, one after the other */
    double **running;
    int64_t size, samples;
} problem;

/* Random samples and weights; running statistics that are no batch's. */
void problem_make(problem *made, rs_network *network, int64_t samples);
void problem_release(problem *made);

/* Loss and gradient by the reference backend in double, all samples in one batch. */
typedef struct reference {
    const rs_backend *backend;
    rs_device *device;
    rs_plan *plan;
} reference;
void reference_open(reference *r, const problem *p);
void reference_close(reference *r);
double reference_gradient(const reference *r, const problem *p, rs_mode mode, const double *weights,
                          double *gradient);
/* Central differences of that gradient: [size, size]. */
void reference_hessian(const reference *r, const problem *p, rs_mode mode, double *hessian);

#endif
