/* resize.h: a resize planned once for many images of one size. */
#ifndef RS_DATA_RESIZE_H
#define RS_DATA_RESIZE_H

#include <stdint.h>

#include "rs/status.h"

typedef struct rs__resizer rs__resizer;

rs_status rs__resizer_create(int height, int width, int size, rs__resizer **resizer, rs_error *error);
/* One channel: in [height, width], out [size, size]; they must not overlap. */
void rs__resizer_apply(const rs__resizer *resizer, const uint8_t *in, uint8_t *out);
void rs__resizer_destroy(rs__resizer *resizer); /* takes NULL */

#endif
