/* standin.h: what a test may ask of the stand-in while it runs: counts, traffic, planned failures.
 *
 * The functions are weak: in a program that runs without the stand-in their addresses are NULL
 * (rs_emu_present). Calls are counted by name, as in "cudaMemcpyAsync". */
#ifndef RS_EMU_STANDIN_H
#define RS_EMU_STANDIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef RS_EMU_DEFINING
#define RS_EMU_WEAK __attribute__((weak))
#else
#define RS_EMU_WEAK __attribute__((visibility("default")))
#endif

/* Global memory that a kernel moved since the last reset, in bytes, summed over its launches. Caches are
 * thought away but for one thing: a sector of 32 bytes that one launch asks for more than 8 times over
 * counts once, as a hot one, because it stays in a cache (per-channel scales, tables). */
typedef struct rs_emu_traffic {
    uint64_t launches;
    uint64_t read, written;                   /* moved, by the rule above */
    uint64_t read_distinct, written_distinct; /* different bytes, in whole sectors */
    uint64_t read_asked, written_asked;       /* what all threads asked for together */
    uint64_t hot;                             /* bytes of hot sectors, read or written */
} rs_emu_traffic;

/* Starts counting traffic (off until then, unless RS_EMU_STATS is set), from zero. */
RS_EMU_WEAK void rs_emu_traffic_reset(void);
/* Work that still waits has not been counted: synchronise first. False for a kernel that was not launched. */
RS_EMU_WEAK int rs_emu_traffic_of(const char *kernel, rs_emu_traffic *traffic);
RS_EMU_WEAK uint64_t rs_emu_calls(const char *name);
/* Calls so far that RS_EMU_FAIL counts. */
RS_EMU_WEAK uint64_t rs_emu_fallible_calls(void);
/* As RS_EMU_FAIL, counted from here on; NULL or "" ends it. */
RS_EMU_WEAK void rs_emu_fail(const char *plan);
/* One of cuDNN's convolution algorithms, from here on otherwise than ever. */
typedef struct rs_emu_trap {
    int pass, algorithm; /* 0 forward, 1 data, 2 weights; cuDNN's number */
    int size_answer;     /* cudnnStatus_t of the question for its workspace; 0: as ever */
    int run_answer;      /* of the call that runs it */
    int only_adding;     /* run_answer only where beta is not 0 */
    size_t workspace;    /* that it wants at least */
    int only_tf32;       /* run_answer only where floats may be rounded */
} rs_emu_trap;
/* NULL: as ever, all of them. */
RS_EMU_WEAK void rs_emu_set_trap(const rs_emu_trap *trap);
/* Objects and allocations that were made and not yet released. */
RS_EMU_WEAK size_t rs_emu_alive(void);

#define rs_emu_present() (rs_emu_alive != NULL)

#ifdef __cplusplus
}
#endif

#endif
