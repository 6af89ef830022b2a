/* analysis.h: what every kind of analysis gets, and the kinds. */
#ifndef RS_ANALYZE_ANALYSIS_H
#define RS_ANALYZE_ANALYSIS_H

#include "inputs.h"
#include "rs/result_file.h"

typedef struct rs__analysis {
    const char *kind;
    int input_count;
    rs__input *inputs;
    rs_result_file *file;

    /* Options; texts are borrowed from the command line, NULL: not given. */
    const char *layer;      /* --layer */
    const char *metric;     /* --metric */
    const char *points;     /* --points */
    const char *statistics; /* --bn */
    const char *split;      /* --split */
    const char *labels;     /* --labels */
    const char *method;     /* --method */
    const char *device, *data_dir, *threads;
    bool no_download;
    int64_t samples;    /* 0: all */
    int64_t batch_size; /* -1: the run's */
    int64_t iterations, eigenvalues, seed;
    double tolerance;
} rs__analysis;

/* Each computes, fills a->file and prints a table. */
rs_status rs__analyze_pca(rs__analysis *a, rs_error *error);
rs_status rs__analyze_interpolate(rs__analysis *a, rs_error *error);
rs_status rs__analyze_distances(rs__analysis *a, rs_error *error);
rs_status rs__analyze_hessian(rs__analysis *a, rs_error *error);
rs_status rs__analyze_sensitivity(rs__analysis *a, rs_error *error);
rs_status rs__analyze_predict(rs__analysis *a, rs_error *error);

/* Arrays of rank 1, in one line each. */
rs_status rs__put_list(rs_result_file *file, const char *path, const char *what, const char *unit,
                       const char *axis, int64_t count, const double *values, rs_error *error);
rs_status rs__put_integers(rs_result_file *file, const char *path, const char *what, const char *axis,
                           int64_t count, const int64_t *values, rs_error *error);

#endif
