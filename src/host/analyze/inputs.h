/* inputs.h: the runs that an analysis takes: RUN.h5, RUN.h5@SNAPSHOT. */
#ifndef RS_ANALYZE_INPUTS_H
#define RS_ANALYZE_INPUTS_H

#include "rs/config.h"
#include "rs/dataset.h"
#include "rs/record_reader.h"

typedef struct rs__input {
    char *path;
    rs_record_reader *reader;
    rs_config config; /* of the run */
    char sha256[RS_SHA256_TEXT];
    int64_t first, count; /* snapshots: first .. first + count - 1 */
} rs__input;

/* Text of an argument: a path, or one with @last, @all, @N or @A..B behind it. `otherwise`: what holds without @. DATA,
 * USAGE. */
rs_status rs__run_open(const char *argument, const char *otherwise, rs__input *input, rs_error *error);
void rs__run_close(rs__input *input); /* takes a zeroed one */

/* The trainable tensors of a record whose names a list of globs takes (NULL or "": all but those of classifiers beside the
 * network). A glob takes a whole name or its beginning up to a dot; several stand with commas between them. */
typedef rs_record_tensor rs__tensor;
typedef struct rs__tensors {
    int count;
    rs__tensor *list;
    int64_t weights; /* of all */
    int64_t largest; /* weights of the largest */
} rs__tensors;
bool rs__glob_takes(const char *globs, const char *name);
/* USAGE when the globs take none. Release with rs_free(list). */
rs_status rs__tensors_of(const rs__input *input, const char *globs, rs__tensors *tensors, rs_error *error);

#endif
