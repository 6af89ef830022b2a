/* kernel_entry.h: between kernels built by g++ and the stand-in: what a kernel is, and what its threads may
 * ask for.
 *
 * A kernel registers itself under the name that nvcc's stubs use. Its arguments are bound (copied) at the
 * launch and the function is called once per CUDA thread. Everything here is plain C, so that a library of
 * kernels and the stand-in share no C++ types. */
#ifndef RS_EMU_KERNEL_ENTRY_H
#define RS_EMU_KERNEL_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RS_EMU_API __attribute__((visibility("default")))

typedef struct rs_emu_kernel {
    const char *name;
    const void *function;                   /* its image holds the constants that it may read */
    size_t bytes;                           /* of bound arguments */
    void (*bind)(void *bound, void **args); /* copies the arguments of a launch */
    void (*call)(const void *bound);        /* one thread */
} rs_emu_kernel;
RS_EMU_API void rs_emu_register_kernel(const rs_emu_kernel *kernel); /* borrowed for good */

typedef struct rs_emu_index {
    unsigned x, y, z;
} rs_emu_index;
/* Never change within one thread's life, which lets the compiler keep them. */
RS_EMU_API rs_emu_index rs_emu_thread_index(void) __attribute__((const));
RS_EMU_API rs_emu_index rs_emu_block_index(void) __attribute__((const));
RS_EMU_API rs_emu_index rs_emu_block_size(void) __attribute__((const));
RS_EMU_API rs_emu_index rs_emu_grid_size(void) __attribute__((const));

/* A place in the source: threads that meet must meet at the same one. */
typedef struct rs_emu_site {
    const char *file;
    int line;
} rs_emu_site;
RS_EMU_API void rs_emu_barrier(rs_emu_site site);

typedef enum rs_emu_exchange_kind {
    RS_EMU_SHUFFLE, /* from the lane `argument` */
    RS_EMU_SHUFFLE_UP,
    RS_EMU_SHUFFLE_DOWN,
    RS_EMU_SHUFFLE_XOR,
    RS_EMU_BALLOT, /* of value != 0 */
    RS_EMU_SYNCWARP
} rs_emu_exchange_kind;
/* Waits for all lanes of the mask. A value from a lane that takes no part comes out as ones in every bit:
 * a NaN. */
RS_EMU_API uint64_t rs_emu_exchange(rs_emu_exchange_kind kind, uint32_t mask, uint64_t value, int argument,
                                    int width, rs_emu_site site);

/* One static per shared array; its memory is found anew, and poisoned, for every block. */
typedef struct rs_emu_shared_array {
    uint64_t block;
    void *memory;
} rs_emu_shared_array;
RS_EMU_API void *rs_emu_shared(rs_emu_shared_array *array, size_t bytes, size_t alignment, size_t element);

#ifdef __cplusplus
}
#endif

#endif
