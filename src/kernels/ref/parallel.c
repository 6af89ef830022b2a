/* parallel.c: the loop that all operators share; see operators.h. */
#include <omp.h>

#include "operators.h"

void ref_for(int threads, int64_t count, void (*body)(const void *context, int64_t index, int thread),
             const void *context)
{
    if (threads <= 1 || count <= 1) {
        for (int64_t i = 0; i < count; i++) {
            body(context, i, 0);
        }
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (int64_t i = 0; i < count; i++) {
        body(context, i, omp_get_thread_num());
    }
}
