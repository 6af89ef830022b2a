/* fixture.h: a small hand-made network, a backend that only knows `read`, and rows whose every value is a
 * function of its place: what a record holds can be checked without keeping it. */
#ifndef RS_TEST_RECORD_FIXTURE_H
#define RS_TEST_RECORD_FIXTURE_H

#include "rs/recorder.h"

enum {
    FIXTURE_PARAMETERS = 5,
    FIXTURE_BUFFERS = 2,
    FIXTURE_BLOCKS = 2,
    FIXTURE_LAYERS = 3,
    FIXTURE_STEPS = 3
};

typedef struct fixture {
    rs_network network;
    rs_node nodes[FIXTURE_LAYERS];
    rs_layer layers[FIXTURE_LAYERS];
    rs_block blocks[FIXTURE_BLOCKS];
    rs_parameter parameters[FIXTURE_PARAMETERS], buffers[FIXTURE_BUFFERS];
    char layer_names[FIXTURE_LAYERS][RS_NAME_MAX]; /* measured; the last is the only one with a head */
    bool weights[FIXTURE_PARAMETERS], running[FIXTURE_BUFFERS], gradients[FIXTURE_PARAMETERS];
    rs_record_spec spec;
    double skew; /* added to every step's loss: a training that goes another way */
    bool broken; /* reading the plan fails */
} fixture;

/* `large`: one tensor above 1 MiB, another that is a chunk by itself. The fixture must not move afterwards. */
void fixture_init(fixture *made, bool large, int64_t epochs);

/* The value of an element. what: 'w' weights, 'b' buffers, 'g' gradients (their mean); row: of the snapshot. */
float fixture_value(char what, int tensor, int64_t row, int64_t element);
/* The number `field` of row `row` of a table: 's' steps, 'e' epochs, 'i' and 'p' distances to initial and
 * previous (field = metric * blocks + block), 'm', 'd', 'n' gradient statistics (field = parameter), 'l', 'o' layers' losses and outputs, 'h', 'a'
 * heads' losses and accuracies. */
double fixture_number(char table, int field, int64_t row);

/* Delivers epochs position->epochs .. epochs - 1 of FIXTURE_STEPS steps each with a snapshot and a commit after
 * each (and the initial ones first, from the beginning), and moves *position. checkpoint: where the position is
 * kept for resuming ("RUN.h5.ckpt"), or NULL. */
rs_status fixture_train(const fixture *made, const rs_observer *observer, rs_position *position,
                        int64_t epochs, const char *checkpoint, rs_error *error);
/* Reads the position back; all zero when there is no checkpoint yet. */
rs_status fixture_restore(const char *checkpoint, rs_position *position, rs_error *error);
/* One step, or the end of an epoch, for tests that need their own order. */
rs_status fixture_step(const fixture *made, const rs_observer *observer, rs_position *position,
                       rs_error *error);
rs_status fixture_snapshot(const fixture *made, const rs_observer *observer, rs_position *position,
                           bool epoch_end, rs_error *error);
rs_status fixture_epoch(const rs_observer *observer, rs_position *position, rs_error *error);

#endif
