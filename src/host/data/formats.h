/* formats.h: the readers of each file format and the built-in sets; all fill an rs__loaded. */
#ifndef RS_DATA_FORMATS_H
#define RS_DATA_FORMATS_H

#include <stdint.h>

#include "catalog.h"
#include "digest.h"
#include "locate.h"
#include "rs/dataset.h"
#include "rs/status.h"

typedef struct rs__part {
    int64_t count;
    uint8_t *images; /* [count, C, H, W] */
    int32_t *labels; /* [count] */
    float *values;   /* [count], of a function, instead of images */
    float *targets;  /* [count], instead of labels */
} rs__part;

typedef struct rs__file_note {
    char name[64];
    uint64_t bytes;
    char sha256[RS__HEX_MAX];
} rs__file_note;

/* What was read. Zero it first; rs__loaded_clear frees the parts, also after an error. */
typedef struct rs__loaded {
    rs__part train, test, valid;
    float mean[RS_MAX_CHANNELS], std[RS_MAX_CHANNELS];
    int64_t labels_drawn, labels_changed; /* of the training samples, at random */
    rs__file_note note[RS__MAX_FILES];
    int note_count;
} rs__loaded;

void rs__loaded_clear(rs__loaded *loaded);

/* Allocates a part of `count` images of the set's own size. MEMORY. */
rs_status rs__part_create(const rs__set *set, int64_t count, rs__part *part, rs_error *error);

/* The first `limit` of `available`; 0: all. */
int64_t rs__limited(int64_t available, int64_t limit);

/* Both read a set's located files. Limits count samples, 0 for all; a limit above what is there gives all.
 * DATA: file, byte and what is wrong. Files that no wanted sample lies in are not read. */
rs_status rs__idx_load(const rs__set *set, const rs__location *location, int64_t train_limit,
                       int64_t test_limit, rs__loaded *loaded, rs_error *error);
rs_status rs__cifar_load(const rs__set *set, const rs__location *location, int64_t train_limit,
                         int64_t test_limit, rs__loaded *loaded, rs_error *error);

#define RS__SHAPES_ALGORITHM "shapes-philox4x32-10/1"
enum { RS__SHAPES_MOST = 10000000 }; /* samples in a split */
/* Draws the set: a sample depends on (seed, split, its place) alone, so that a longer set begins like a
 * shorter one. Limits replace the default sizes. USAGE above RS__SHAPES_MOST. */
rs_status rs__shapes_draw(const rs__set *set, uint64_t seed, int64_t train_limit, int64_t test_limit,
                          rs__loaded *loaded, rs_error *error);

#define RS__FUNCTION_ALGORITHM "function-philox4x32-10/1"
/* Computes the samples of a request's function. USAGE: no such function, or not defined on the whole range, or too
 * many samples. */
rs_status rs__function_draw(const rs_dataset_request *request, rs__loaded *loaded, rs_error *error);

#endif
