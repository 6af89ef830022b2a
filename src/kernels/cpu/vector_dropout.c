/* vector_dropout.c: dropout, plane by plane (one sample's channel block); the masks are common/dropout.h's. */
#include "kernels.h"
#include "vector.h"

/* Vectors whose masks are drawn together: draws wait for nothing, and a compiler makes vector instructions of them. A
 * vector's elements may begin within a draw where the channels are no multiple of 4, and so end in one more. */
enum { TILE = 16, DRAWS = RS_LANES / 4 + 1 };

/* Vectors of one sample that lie behind each other: the first one's element, and how many lie between two. */
typedef struct tile {
    int64_t sample, element, step, count;
} tile;

static void draw_tile(const rs__dropout *d, const tile *t, rs_bits *bits)
{
    uint32_t block[TILE * DRAWS], keep[TILE * DRAWS], epoch = d->epoch;
    int64_t draws = t->element % 4 || t->step % 4 ? DRAWS : RS_LANES / 4, id = d->ids[t->sample];
    const rs_dropout rule = d->rule;
    RS_ASSERT(t->count >= 0 && t->count <= TILE);
    for (int64_t p = 0; p < t->count; p++) {
        for (int64_t k = 0; k < draws; k++) {
            block[p * draws + k] = (uint32_t)((t->element + p * t->step) / 4 + k);
        }
    }
    for (int64_t i = 0; i < t->count * draws; i++) {
        keep[i] = rs_dropout_keep(&rule, block[i], id, epoch);
    }
    for (int64_t p = 0; p < t->count; p++) {
        uint32_t all = 0;
        for (int64_t k = 0; k < draws; k++) {
            all |= keep[p * draws + k] << 4 * k;
        }
        bits[p] = (rs_bits)(all >> (t->element + p * t->step) % 4);
    }
}

/* Lanes beyond the channels are 0 and stay so, whatever is drawn for them. */
static void drop_tile(const rs__dropout *d, const tile *t, int64_t vector, const float *x, float *y,
                      rs_pass pass)
{
    rs_bits own[TILE] = {0}, *bits = d->kept ? (rs_bits *)d->kept + vector : own;
    const rs_vf scale = rs_splat(d->scale);
    if (!d->drawn) {
        draw_tile(d, t, bits);
    }
    for (int64_t p = 0; p < t->count; p++) {
        int64_t at = (vector + p) * RS_LANES;
        rs_vf value = rs_where_bits(bits[p], rs_load(x + at) * scale);
        if (pass == RS_PASS_ADD) {
            value += rs_load(y + at);
        }
        rs_store(y + at, value);
    }
}

RS_INLINE int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Of vectors (maps of one position) a tile is channel blocks of a sample, else positions of a block. */
void RS_ISA(rs__dropout)(const rs__dropout *d, int64_t first, int64_t last, const float *x, float *y,
                         rs_pass pass)
{
    for (int64_t plane = first, planes; plane < last; plane += planes) {
        int64_t block = plane % d->blocks;
        tile t = {.sample = plane / d->blocks, .element = block * RS_LANES, .step = RS_LANES};
        planes = 1;
        if (d->positions == 1) {
            planes = t.count = least(TILE, least(last - plane, d->blocks - block));
            drop_tile(d, &t, plane, x, y, pass);
            continue;
        }
        t.step = d->channels;
        for (int64_t position = 0; position < d->positions; position += TILE) {
            t.element = position * d->channels + block * RS_LANES;
            t.count = least(TILE, d->positions - position);
            drop_tile(d, &t, plane * d->positions + position, x, y, pass);
        }
    }
}
