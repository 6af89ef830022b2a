/* fuzz.h: what the targets share. A target is one file with LLVMFuzzerTestOneInput, which hands its bytes to the readers of
 * the program and asserts what must hold whatever they are. */
#ifndef RS_FUZZ_FUZZ_H
#define RS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "rs/status.h"

/* libFuzzer's. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Files in memory that hold bytes: one for each slot, which the next call with that slot overwrites. */
enum { RS_FUZZ_SLOTS = 4 };
const char *rs_fuzz_file(int slot, const void *bytes, size_t count); /* "/proc/self/fd/4" */
const char *rs_fuzz_name(const char *path);                          /* "4" */
/* The same as a file with a name of its own, on a file system in memory where there is one: HDF5 wants to know its folder. It is
 * removed at the end, if that is not a crash. */
const char *rs_fuzz_named_file(int slot, const void *bytes, size_t count);
/* The bytes of a slot's file as they are now; the caller's (free). */
uint8_t *rs_fuzz_contents(int slot, size_t *count);

/* A folder in memory, where there is one, for files of a target's own. */
const char *rs_fuzz_folder(void);

/* A stream to nowhere, for what readers print. Open for the process's life. */
FILE *rs_fuzz_nowhere(void);

/* Aborts unless a failure says what it is, and is one that a file can cause. No file of the small inputs that fuzzing makes is
 * a reason to run out of memory: a reader that does has believed a length. */
void rs_fuzz_settle(rs_status status, const rs_error *error);

/* The readers took the whole input: what a good file of the corpus must come to (replay.c). */
void rs_fuzz_accept(void);
int rs_fuzz_accepted(void);        /* how often so far */
const char *rs_fuzz_refusal(void); /* the last text that rs_fuzz_settle saw */

/* Set by replay.c: targets that choose one of several readers by the input's bytes, for speed, try all. */
extern bool rs_fuzz_thorough;

/* Reads every byte, so that the sanitizers see those that are not there, or (valgrind) were never set. */
void rs_fuzz_touch(const void *bytes, size_t count);

#endif
