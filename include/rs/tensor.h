/* rs/tensor.h: types and shapes. Row-major; dimension 0 varies slowest; images are N, C, H, W. */
#ifndef RS_TENSOR_H
#define RS_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RS_MAX_RANK 4
#define RS_NAME_MAX 64 /* bytes of a node, parameter or block name, with its end */

typedef enum rs_dtype { RS_F32, RS_F64 } rs_dtype;

typedef struct rs_shape {
    int rank;
    int64_t dim[RS_MAX_RANK];
} rs_shape;

size_t rs_dtype_size(rs_dtype type);
int64_t
rs_shape_count(const rs_shape *shape); /* product of dims; -1 when it overflows int64 or a dim is < 0 */
void rs_shape_text(const rs_shape *shape, char *text, size_t capacity); /* "[64, 3, 7, 7]" */

/* a * b for sizes; false when it overflows. */
bool rs_multiply(size_t a, size_t b, size_t *product);

#endif
