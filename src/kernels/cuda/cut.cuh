/* cut.cuh: how a matrix of rows by channels is cut into thread blocks: by its size alone, so that sums come
 * out the same on every device.
 *
 * A block takes `piece` rows of one strip of channels: 1 << shift threads stand side by side, each with 4
 * channels (1 where channels are no multiple of 4), RS_CU_THREADS >> shift of such rows at once. */
#ifndef RS_KERNELS_CUDA_CUT_CUH
#define RS_KERNELS_CUDA_CUT_CUH

#include <stdbool.h>
#include <stdint.h>

enum {
    RS_CU_THREADS = 256, /* of every block */
    RS_CU_STRIP = 128,   /* channels of a strip, at most */
    RS_CU_RUN = 32       /* values that are summed in float before they join a double */
};

typedef struct rs_cu_cut {
    int64_t rows, piece, pieces;
    int channels, strips, shift;
} rs_cu_cut;

static inline bool rs_cu_cut_wide(const rs_cu_cut *cut)
{
    return cut->channels % 4 == 0;
}

static inline rs_cu_cut rs_cu_cut_pieces(int64_t rows, int channels, int64_t piece)
{
    rs_cu_cut cut = {rows, piece, (rows + piece - 1) / piece, channels, 1, 5};
    int lanes = channels;
    if (rs_cu_cut_wide(&cut)) {
        lanes = channels / 4;
        cut.shift = 1;
        while (cut.shift < 5 && 1 << cut.shift < lanes) {
            cut.shift++;
        }
    }
    cut.strips = (lanes + (1 << cut.shift) - 1) >> cut.shift;
    return cut;
}

/* Thread rows of a block. */
static inline int64_t rs_cu_cut_step(int64_t rows, int channels)
{
    const rs_cu_cut cut = rs_cu_cut_pieces(rows, channels, rows);
    return RS_CU_THREADS >> cut.shift;
}

/* For kernels that write where they read: each thread takes a few rows. */
enum { RS_CU_ROWS = 8 };
static inline rs_cu_cut rs_cu_cut_rows(int64_t rows, int channels)
{
    return rs_cu_cut_pieces(rows, channels, RS_CU_ROWS * rs_cu_cut_step(rows, channels));
}

/* For sums: at least 16 rows a thread, so that the sums of pieces are few beside what they are sums of, and
 * about as many blocks as a large device runs at once. */
static inline rs_cu_cut rs_cu_cut_sums(int64_t rows, int channels)
{
    const int64_t step = rs_cu_cut_step(rows, channels), least = 16 * step;
    const int64_t strips = rs_cu_cut_pieces(rows, channels, rows).strips,
                  most = strips < 1024 ? 1024 / strips : 1;
    int64_t pieces = (rows + least - 1) / least;
    pieces = pieces < most ? pieces : most;
    const int64_t piece = (rows + pieces - 1) / pieces;
    return rs_cu_cut_pieces(rows, channels, (piece + step - 1) / step * step);
}

/* Neighbouring elements in pieces, for sums: a block reads at least four times four floats a thread; no more blocks than a
 * large device runs at once. A piece begins at a multiple of 4. */
typedef struct rs_cu_flat {
    int64_t count, piece, pieces;
} rs_cu_flat;

static inline rs_cu_flat rs_cu_cut_flat(int64_t count)
{
    const int64_t unit = 4 * RS_CU_THREADS, least = 4 * unit, most = 1024;
    int64_t pieces = (count + least - 1) / least;
    pieces = pieces < most ? pieces : most;
    const int64_t piece = ((count + pieces - 1) / pieces + unit - 1) / unit * unit;
    rs_cu_flat flat = {count, piece, (count + piece - 1) / piece};
    return flat;
}

static inline int64_t rs_cu_cut_blocks(const rs_cu_cut *cut)
{
    return cut->pieces * cut->strips;
}

#endif
