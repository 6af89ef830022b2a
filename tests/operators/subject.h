/* subject.h: a small network with a plan on the backend under test, for tests of what plans are told. */
#ifndef RS_TEST_SUBJECT_H
#define RS_TEST_SUBJECT_H

#include "harness.h"
#include "rs/host.h"

enum { SUBJECT_BATCH = 6, SUBJECT_CLASSES = 5, SUBJECT_PIXELS = 3 * 6 * 6 };

typedef struct subject {
    const rs_check_machine *machine;
    rs_network *network;
    rs_plan *plan;
} subject;

/* conv1 bn1 relu1 conv2 bn2 tanh2 pool hidden sigmoid fc loss; with `head` behind tanh2 also head, head_loss, on the way. */
subject subject_make(const rs_check_machine *machine, rs_reduction reduction, bool head);
/* A plan with initial values; some options have values where the caller leaves 0. */
void subject_open(subject *s, rs_plan_options options);
void subject_close_plan(subject *s);
void subject_release(subject *s);

/* Made-up values and labels of `count` samples from sample `first` on. */
void subject_load(const subject *s, int64_t first, int64_t count);
/* Loads, forward, backward. */
void subject_run(const subject *s, rs_mode mode, rs_label_choice labels);
void subject_update(const subject *s);

/* Of the parameter, or buffer, with that name, which the caller frees. */
float *subject_read(const subject *s, rs_slot slot, const char *name, int64_t *count);
bool subject_is_zero(const float *values, int64_t count); /* every byte */

#endif
