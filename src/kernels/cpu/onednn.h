/* onednn.h: the only file that knows which oneDNN this is: one interface over versions 2.6 and 3.x.
 *
 * 2.x passes memory descriptors by value and creates a primitive descriptor from an operation descriptor;
 * 3.x has opaque descriptors and creates it in one call. Here a descriptor is always a handle that is owned
 * (rs__md, released by rs__md_destroy) or borrowed from a primitive descriptor (rs__md_view). */
#ifndef RS_KERNELS_CPU_ONEDNN_H
#define RS_KERNELS_CPU_ONEDNN_H

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>
#include <string.h>

#include "rs/host.h"
#include "rs/status.h"

/* Runs one call of the library and turns its failure into an error. */
#define RS__DNN(error, call)                                                                                 \
    do {                                                                                                     \
        dnnl_status_t rs_dnn_status_ = (call);                                                               \
        if (rs_dnn_status_ != dnnl_success) {                                                                \
            return RS_FAIL((error), rs_dnn_status_ == dnnl_out_of_memory ? RS_MEMORY : RS_DEVICE,            \
                           "%s: status %d in %s",                                                            \
                           rs_dnn_status_ == dnnl_out_of_memory ? "no memory for oneDNN" : "oneDNN failed",  \
                           (int)rs_dnn_status_, #call);                                                      \
        }                                                                                                    \
    } while (0)

typedef enum rs__conv_pass {
    RS__FORWARD,
    RS__BACKWARD_DATA,
    RS__BACKWARD_WEIGHTS,
    RS__CONV_PASSES
} rs__conv_pass;

/* A blocked layout in plain numbers: dim d of an element is split into outer and inner parts. */
typedef struct rs__blocking {
    int rank, inner_count;
    int64_t dims[DNNL_MAX_NDIMS], padded[DNNL_MAX_NDIMS], strides[DNNL_MAX_NDIMS];
    int64_t inner_size[DNNL_MAX_NDIMS];
    int64_t inner_dim[DNNL_MAX_NDIMS];
} rs__blocking;

#if DNNL_VERSION_MAJOR >= 3

typedef dnnl_memory_desc_t rs__md;
typedef const_dnnl_memory_desc_t rs__md_view;
typedef const_dnnl_primitive_desc_t rs__pd_view;

static inline dnnl_status_t rs__md_create(rs__md *md, int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
    return dnnl_memory_desc_create_with_tag(md, rank, dims, dnnl_f32, tag);
}

static inline dnnl_status_t rs__md_clone(rs__md *md, rs__md_view from)
{
    return dnnl_memory_desc_clone(md, from);
}

static inline void rs__md_destroy(rs__md md)
{
    if (md) {
        (void)dnnl_memory_desc_destroy(md);
    }
}

/* false for a layout that is no blocked one (Winograd's own). */
static inline bool rs__md_blocking(rs__md_view md, rs__blocking *b)
{
    dnnl_format_kind_t kind;
    *b = (rs__blocking){0};
    if (dnnl_memory_desc_query(md, dnnl_query_format_kind, &kind) || kind != dnnl_blocked) {
        return false;
    }
    const dnnl_dims_t *dims, *padded, *strides, *sizes, *indices;
    if (dnnl_memory_desc_query(md, dnnl_query_ndims_s32, &b->rank) ||
        dnnl_memory_desc_query(md, dnnl_query_inner_nblks_s32, &b->inner_count) ||
        dnnl_memory_desc_query(md, dnnl_query_dims, &dims) ||
        dnnl_memory_desc_query(md, dnnl_query_padded_dims, &padded) ||
        dnnl_memory_desc_query(md, dnnl_query_strides, &strides) ||
        dnnl_memory_desc_query(md, dnnl_query_inner_blks, &sizes) ||
        dnnl_memory_desc_query(md, dnnl_query_inner_idxs, &indices)) {
        return false;
    }
    for (int d = 0; d < b->rank; d++) {
        b->dims[d] = (*dims)[d];
        b->padded[d] = (*padded)[d];
        b->strides[d] = (*strides)[d];
    }
    for (int i = 0; i < b->inner_count; i++) {
        b->inner_size[i] = (*sizes)[i];
        b->inner_dim[i] = (*indices)[i];
    }
    return true;
}

#else

typedef dnnl_memory_desc_t *rs__md;
typedef const dnnl_memory_desc_t *rs__md_view;
typedef const_dnnl_primitive_desc_t rs__pd_view;

static inline dnnl_status_t rs__md_clone(rs__md *md, rs__md_view from)
{
    *md = rs_alloc(sizeof **md);
    if (!*md) {
        return dnnl_out_of_memory;
    }
    **md = *from;
    return dnnl_success;
}

static inline dnnl_status_t rs__md_create(rs__md *md, int rank, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
    dnnl_memory_desc_t value;
    dnnl_status_t status = dnnl_memory_desc_init_by_tag(&value, rank, dims, dnnl_f32, tag);
    return status ? status : rs__md_clone(md, &value);
}

static inline void rs__md_destroy(rs__md md)
{
    rs_free(md);
}

/* false for a layout that is no blocked one (Winograd's own). */
static inline bool rs__md_blocking(rs__md_view md, rs__blocking *b)
{
    *b = (rs__blocking){0};
    if (md->format_kind != dnnl_blocked) {
        return false;
    }
    const dnnl_blocking_desc_t *from = &md->format_desc.blocking;
    b->rank = md->ndims;
    b->inner_count = from->inner_nblks;
    for (int d = 0; d < b->rank; d++) {
        b->dims[d] = md->dims[d];
        b->padded[d] = md->padded_dims[d];
        b->strides[d] = from->strides[d];
    }
    for (int i = 0; i < b->inner_count; i++) {
        b->inner_size[i] = from->inner_blks[i];
        b->inner_dim[i] = from->inner_idxs[i];
    }
    return true;
}

#endif

/* One convolution for one pass. bias NULL without. hint: the forward primitive descriptor, for the backward
 * passes. */
typedef struct rs__conv_problem {
    rs__conv_pass pass;
    dnnl_alg_kind_t algorithm;
    rs__md_view src, weights, bias, dst;
    dnnl_dims_t strides, padding;
    rs__pd_view hint;
    dnnl_primitive_attr_t attributes;
    dnnl_engine_t engine;
} rs__conv_problem;

#if DNNL_VERSION_MAJOR >= 3

static inline dnnl_status_t rs__conv_create(const rs__conv_problem *p, dnnl_primitive_desc_t *pd)
{
    dnnl_dims_t dilation = {0};
    switch (p->pass) {
    case RS__FORWARD:
        return dnnl_convolution_forward_primitive_desc_create(
            pd, p->engine, dnnl_forward_training, p->algorithm, p->src, p->weights, p->bias, p->dst,
            p->strides, dilation, p->padding, p->padding, p->attributes);
    case RS__BACKWARD_DATA:
        return dnnl_convolution_backward_data_primitive_desc_create(
            pd, p->engine, p->algorithm, p->src, p->weights, p->dst, p->strides, dilation, p->padding,
            p->padding, p->hint, p->attributes);
    default:
        return dnnl_convolution_backward_weights_primitive_desc_create(
            pd, p->engine, p->algorithm, p->src, p->weights, p->bias, p->dst, p->strides, dilation,
            p->padding, p->padding, p->hint, p->attributes);
    }
}

#else

static inline dnnl_status_t rs__conv_create(const rs__conv_problem *p, dnnl_primitive_desc_t *pd)
{
    dnnl_convolution_desc_t d;
    dnnl_status_t status;
    switch (p->pass) {
    case RS__FORWARD:
        status =
            dnnl_convolution_forward_desc_init(&d, dnnl_forward_training, p->algorithm, p->src, p->weights,
                                               p->bias, p->dst, p->strides, p->padding, p->padding);
        break;
    case RS__BACKWARD_DATA:
        status = dnnl_convolution_backward_data_desc_init(&d, p->algorithm, p->src, p->weights, p->dst,
                                                          p->strides, p->padding, p->padding);
        break;
    default:
        status = dnnl_convolution_backward_weights_desc_init(&d, p->algorithm, p->src, p->weights, p->bias,
                                                             p->dst, p->strides, p->padding, p->padding);
        break;
    }
    return status ? status : dnnl_primitive_desc_create(pd, &d, p->attributes, p->engine, p->hint);
}

#endif

/* A descriptor of what a primitive works on, borrowed. */
static inline rs__md_view rs__pd_md(rs__pd_view pd, dnnl_query_t what)
{
    return dnnl_primitive_desc_query_md(pd, what, 0);
}

static inline size_t rs__md_bytes(rs__md_view md)
{
    return md ? dnnl_memory_desc_get_size(md) : 0;
}

static inline bool rs__md_equal(rs__md_view a, rs__md_view b)
{
    return dnnl_memory_desc_equal(a, b) != 0;
}

/* "jit_wino_4x3:avx512_core", copied. */
static inline void rs__pd_implementation(rs__pd_view pd, char *text, size_t capacity)
{
    const char *name = NULL;
    if (dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&name) != dnnl_success || !name) {
        name = "unknown";
    }
    size_t length = strlen(name) < capacity ? strlen(name) : capacity - 1;
    memcpy(text, name, length);
    text[length] = 0;
}

/* Whether the library computes with AVX-512, or AVX2, here (its own limit, ONEDNN_MAX_CPU_ISA, included). */
static inline bool rs__dnn_has_avx512(void)
{
    int isa = (int)dnnl_get_effective_cpu_isa();
    return (isa & (int)dnnl_cpu_isa_avx512_core) == (int)dnnl_cpu_isa_avx512_core;
}

static inline bool rs__dnn_has_avx2(void)
{
    int isa = (int)dnnl_get_effective_cpu_isa();
    return (isa & (int)dnnl_cpu_isa_avx2) == (int)dnnl_cpu_isa_avx2;
}

#endif
