/* compare.h: two records side by side. Every function reads and prints one part. */
#ifndef RS_INSPECT_COMPARE_H
#define RS_INSPECT_COMPARE_H

#include <stdio.h>

#include "arguments.h"
#include "rs/metric.h"

/* The two; A comes first. Each stands at its place's first snapshot. */
typedef struct rs__pair {
    rs__place place[2];
    rs_metric_list metrics;
} rs__pair;

/* Keys of the configuration in which they differ, and where they come from. */
rs_status rs__compare_settings(const rs__pair *pair, FILE *stream, rs_error *error);
/* State, what is committed, the last epoch's losses and accuracies. */
rs_status rs__compare_results(const rs__pair *pair, FILE *stream, rs_error *error);

/* A tensor of weights/ that one of them or both have. */
typedef struct rs__compared {
    const char *name; /* borrowed from a reader */
    rs_shape shape;   /* A's, or B's where A has none */
    enum { RS__IN_BOTH, RS__IN_A, RS__IN_B, RS__OTHER_SHAPE } where;
    int64_t order;  /* of a parameter: its place in the network; of others beyond all of these */
    bool parameter; /* else a running statistic */
    double distance[RS_MAX_METRICS]; /* from A to B; of RS__IN_BOTH */
} rs__compared;

typedef struct rs__comparison {
    int count, capacity;
    rs__compared *list;
    int64_t elements;           /* of all parameters that both have */
    double all[RS_MAX_METRICS]; /* distance between them, taken as one vector */
} rs__comparison;

/* Where neither has a snapshot the list is empty. The caller frees it, also after an error. */
rs_status rs__compare_weights(const rs__pair *pair, rs__comparison *found, rs_error *error);
void rs__comparison_free(rs__comparison *found);
void rs__comparison_print(const rs__comparison *found, const rs_metric_list *metrics, FILE *stream);
void rs__comparison_csv(const rs__comparison *found, const rs_metric_list *metrics, FILE *stream);

#endif
