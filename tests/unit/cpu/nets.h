/* nets.h: small networks, plans and values for the tests of the cpu backend. */
#ifndef RS_TEST_CPU_NETS_H
#define RS_TEST_CPU_NETS_H

/* cmocka.h needs these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rs/backend.h"

/* Fails with the error's text unless the expression is RS_OK. */
#define must(expression)                                                                                     \
    do {                                                                                                     \
        if ((expression) != RS_OK) {                                                                         \
            fail_msg("%s: %s", #expression, error.text);                                                     \
        }                                                                                                    \
    } while (0)

/* Adds a node; returns its index. window: kernel, stride, padding. */
typedef struct window {
    int kernel, stride, padding;
} window;
int add_node(rs_network *network, const char *name, rs_op_kind kind, int a, int b, int64_t channels,
             window w);
int add_norm(rs_network *network, const char *name, int input);

/* input C x H x W -> conv 3x3 -> bn -> relu -> max pool -> conv 1x1 -> bn -> add (with the pool) -> relu ->
 * global pool -> linear -> loss. Odd channels all over. */
rs_network *odd_network(int64_t channels, int64_t middle, int64_t size);
/* The same kinds of nodes without convolution and linear layer, ending in the global pool. */
rs_network *pool_network(int64_t channels, int64_t size);

/* count floats in (-1, 1), a function of the seed. The caller frees (rs_free). */
float *some_values(uint64_t seed, int64_t count);

rs_plan_options small_options(int64_t batch);
/* Writes values to every parameter and buffer; running variances are positive. */
void fill_parameters(const rs_backend *backend, rs_plan *plan, const rs_network *network);
/* Loads values and labels made from `seed`. */
void load_something(const rs_backend *backend, rs_plan *plan, const rs_network *network, int64_t count,
                    uint64_t seed);

/* --- a network with its plan, on two threads -------------------------------------------------------------- */

typedef struct fixture {
    const rs_backend *backend;
    rs_device *device;
    rs_network *network;
    rs_plan *plan;
} fixture;

/* Takes the network; its parameters are filled. */
fixture open_plan(rs_network *network, const rs_plan_options *options);
void close_plan(fixture *f);
/* Steps first .. first + 3 of Adam, on batches of 4 and 3 in turn, and their losses. */
void train_steps(fixture *f, int first, double losses[4]);
void expect_same_values(fixture *a, fixture *b);
/* `blocks` blocks in each of the four stages, for 32 x 32 images of 3 channels and 10 classes. */
rs_network *small_resnet(int depth, bool plain, bool standard, int blocks);

#endif
