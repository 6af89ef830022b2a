/* tensor.c: shapes and overflow-checked sizes; see rs/tensor.h. */
#include "rs/tensor.h"

#include <inttypes.h>
#include <stdio.h>

size_t rs_dtype_size(rs_dtype type)
{
    return type == RS_F64 ? sizeof(double) : sizeof(float);
}

int64_t rs_shape_count(const rs_shape *shape)
{
    int64_t count = 1;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] < 0 || __builtin_mul_overflow(count, shape->dim[i], &count)) {
            return -1;
        }
    }
    return count;
}

void rs_shape_text(const rs_shape *shape, char *text, size_t capacity)
{
    size_t used = 0;
    for (int i = 0; i < shape->rank && used < capacity; i++) {
        int n = snprintf(text + used, capacity - used, "%s%" PRId64, i ? ", " : "[", shape->dim[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    if (used < capacity) {
        (void)snprintf(text + used, capacity - used, "%s", shape->rank ? "]" : "[]");
    }
}

bool rs_multiply(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}
