/* free_memory.h: how much memory a plan may take, so that one too large is refused before it is made. */
#ifndef RS_KERNELS_FREE_MEMORY_H
#define RS_KERNELS_FREE_MEMORY_H

#include <stdint.h>

#include "rs/status.h"

/* Bytes that the machine has left, or the container, where that is less; UINT64_MAX when unknown. */
uint64_t rs_free_memory(void);
/* For tests: who answers instead; NULL: the machine. */
void rs_set_free_memory(uint64_t (*replacement)(void));

/* What a plan needs that is refused. */
typedef struct rs_memory_need {
    const char *network;
    const char *memory;   /* which: "memory", "GPU memory" */
    int64_t batch;        /* its largest */
    uint64_t bytes, left; /* needed, free */
    uint64_t lean; /* what it would need with --memory lean; 0: it is lean already, or has nothing to gain */
} rs_memory_need;
/* MEMORY with both numbers, and what would help. */
rs_status rs_memory_refuse(const rs_memory_need *need, rs_error *error);

#endif
