/* spread.h: median, least and greatest of what was measured several times. */
#ifndef RS_BENCH_SPREAD_H
#define RS_BENCH_SPREAD_H

typedef struct spread {
    double median, least, greatest;
} spread;

/* Of values [count], which it sorts; count >= 1. Of an even number: the mean of the middle two. */
spread spread_of(double *values, int count);

#endif
