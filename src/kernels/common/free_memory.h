/* free_memory.h: how much memory a plan may take, so that one too large is refused before it is made. */
#ifndef RS_KERNELS_FREE_MEMORY_H
#define RS_KERNELS_FREE_MEMORY_H

#include <stdint.h>

/* Bytes that the machine has left, or the container, where that is less; UINT64_MAX when unknown. */
uint64_t rs_free_memory(void);
/* For tests: who answers instead; NULL: the machine. */
void rs_set_free_memory(uint64_t (*replacement)(void));

#endif
