/* golden_state.h: the reference's state between two steps: every weight, both moments of Adam and the running
 * statistics, rounded to float32, so that float32 and double programs begin a step from exactly the same. */
#ifndef GOLDEN_STATE_H
#define GOLDEN_STATE_H

#include <stdint.h>

#include "golden_file.h"
#include "rs/network.h"

typedef struct golden_state {
    const rs_network *network; /* borrowed */
    int64_t steps;             /* updates so far */
    /* [kind][index][element]; kinds: weight, moment 1, moment 2 of parameters, running statistics of buffers */
    float **values[4];
} golden_state;

enum { GOLDEN_WEIGHT, GOLDEN_MOMENT1, GOLDEN_MOMENT2, GOLDEN_RUNNING, GOLDEN_KINDS };

/* Parameter or buffer that a kind's index means. */
const rs_parameter *golden_tensor(const rs_network *network, int kind, int index);
int golden_tensor_count(const rs_network *network, int kind);

/* The state that training starts from. Release it with golden_state_release. */
void golden_state_begin(golden_state *state, const rs_network *network);
void golden_state_release(golden_state *state);

/* Replaces a tensor by double values rounded to float32. */
void golden_state_round(golden_state *state, int kind, int index, const double *values);
/* Takes the roundings of values that lie next to a boundary, as the file has them for `step` (from 0), each of
 * which must be next to what is there, and demands the file's checksum of every tensor: then this state is the
 * reference's, bit for bit. */
void golden_state_settle(golden_state *state, const golden_file *file, int step);

#endif
