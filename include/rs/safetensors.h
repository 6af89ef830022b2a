/* rs/safetensors.h: reads tensors of a safetensors file, as PyTorch's users keep weights: a 64-bit length, a JSON header
 * of that length, then the bytes. Lengths, offsets and shapes are checked before they are used. */
#ifndef RS_SAFETENSORS_H
#define RS_SAFETENSORS_H

#include <stdbool.h>

#include "rs/status.h"
#include "rs/tensor.h"

typedef struct rs_safetensors rs_safetensors;
/* DATA when it is no such file. The caller closes it. */
rs_status rs_safetensors_open(const char *path, rs_safetensors **file, rs_error *error);
void rs_safetensors_close(rs_safetensors *file); /* takes NULL */
bool rs_safetensors_has(const rs_safetensors *file, const char *name);
/* A tensor of that shape, F32 or (rounded) F64. DATA when there is none, or it is another. */
rs_status rs_safetensors_read(const rs_safetensors *file, const char *name, const rs_shape *shape,
                              float *values, rs_error *error);

#endif
