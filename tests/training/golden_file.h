/* golden_file.h: golden files of tests/golden (make_golden.py says what they hold) and how close a tensor is to
 * what they keep of it. Trouble with a file fails the running test. */
#ifndef GOLDEN_FILE_H
#define GOLDEN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct golden_file golden_file;

/* Values of the section "about". */
typedef enum golden_about {
    GOLDEN_VERSION,
    GOLDEN_DEPTH,
    GOLDEN_PLAIN,
    GOLDEN_SMOOTH,
    GOLDEN_BATCH,
    GOLDEN_FREE_BATCH,
    GOLDEN_STEPS,
    GOLDEN_PARAMETERS,
    GOLDEN_BUFFERS,
    GOLDEN_FIRST_ENTRIES,
    GOLDEN_FIRST_PROJECTIONS,
    GOLDEN_LATER_ENTRIES,
    GOLDEN_LATER_PROJECTIONS,
    GOLDEN_ABOUT
} golden_about;

/* Opens NAME.gold of a directory; never NULL. */
golden_file *golden_open(const char *directory, const char *name);
void golden_close(golden_file *file); /* takes NULL */

int golden_get(const golden_file *file, golden_about what);
/* Values of a section; borrowed. *count may be NULL. */
const double *golden_section(const golden_file *file, const char *name, size_t *count);
/* The same of "KIND/STEP", which must have `count` values. */
const double *golden_step_section(const golden_file *file, const char *kind, int step, size_t count);

/* Values of a summary with so many entries and projections. */
typedef struct golden_shape {
    int entries, projections;
} golden_shape;
golden_shape golden_shape_of(const golden_file *file, int step);
size_t golden_summary_size(golden_shape shape);

/* Relative distance of a tensor from the one summarised: the largest of the difference of norms, of any entry,
 * and of the root mean square over the projections, each over the norm summarised; NaN stays NaN. The last
 * estimates |difference| / norm: its square is distributed about as chi-square with R degrees over R, so that
 * an estimate below half the true distance has a chance of 0.001 with 16 projections and 0.02 with 8. */
double golden_distance(const char *name, const double *x, int64_t count, const double *summary,
                       golden_shape shape);

/* Sum over elements of bits * (2 i + 1) * an odd number of its own for each array, mod 2^64. */
uint64_t golden_checksum(const float *const *arrays, int array_count, int64_t count);
/* The checksum that a section's two values hold. */
uint64_t golden_stored_checksum(const double pair[2]);

#endif
