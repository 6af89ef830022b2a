/* pca.h: principal components of a few points with many coordinates, by the matrix of their inner products. */
#ifndef RS_ANALYZE_PCA_H
#define RS_ANALYZE_PCA_H

#include <stdint.h>

#include "rs/status.h"

typedef struct rs__pca {
    int64_t points;
    int64_t components; /* points - 1, or the number of coordinates where that is less */
    double *gram;       /* [points, points] */
    double *variance;   /* [components] descending: of the coordinates along it, over points - 1 */
    double *ratio;      /* [components] its share of the variance of all */
    double *coordinate; /* [points, components] from the mean; the largest of a component is positive */
    double *off_plane;  /* [points] distance to the plane of the first two components */
    double *distance;   /* [points] to the mean */
} rs__pca;

/* USAGE below two points. Release with rs__pca_release. */
rs_status rs__pca_create(int64_t points, rs__pca *pca, rs_error *error);
/* Adds coordinates: values [points, count], each point's. Centred here. */
rs_status rs__pca_add(rs__pca *pca, const float *values, int64_t count, rs_error *error);
/* After all `coordinates` are added. */
rs_status rs__pca_finish(rs__pca *pca, int64_t coordinates, rs_error *error);
void rs__pca_release(rs__pca *pca); /* takes a zeroed one */

#endif
