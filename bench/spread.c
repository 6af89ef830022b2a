/* spread.c: see spread.h. */
#include "spread.h"

#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

spread spread_of(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    double upper = values[count / 2], lower = values[(count - 1) / 2];
    return (spread){.median = 0.5 * (lower + upper), .least = values[0], .greatest = values[count - 1]};
}
