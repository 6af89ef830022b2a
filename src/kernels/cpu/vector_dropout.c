/* vector_dropout.c: dropout, plane by plane (one sample's channel block); the masks are common/dropout.h's. */
#include "kernels.h"
#include "vector.h"

/* Positions whose masks are drawn together: draws wait for nothing, and a compiler makes vector instructions of them. A
 * vector's elements may begin within a draw where the channels are no multiple of 4, and so end in one more. */
enum { TILE = 16, DRAWS = RS_LANES / 4 + 1 };

/* Bits of the vectors of `count` positions from `position` on. */
RS_INLINE void draw_tile(const rs__dropout *d, int64_t sample, int64_t channel, int64_t position,
                         int64_t count, rs_bits bits[TILE])
{
    uint32_t block[TILE * DRAWS], keep[TILE * DRAWS], epoch = d->epoch;
    int64_t draws = d->channels % 4 ? DRAWS : RS_LANES / 4, id = d->ids[sample];
    const rs_dropout rule = d->rule;
    for (int64_t p = 0; p < count; p++) {
        int64_t element = (position + p) * d->channels + channel;
        for (int64_t k = 0; k < draws; k++) {
            block[p * draws + k] = (uint32_t)(element / 4 + k);
        }
    }
    for (int64_t i = 0; i < count * draws; i++) {
        keep[i] = rs_dropout_keep(&rule, block[i], id, epoch);
    }
    for (int64_t p = 0; p < count; p++) {
        uint32_t all = 0;
        for (int64_t k = 0; k < draws; k++) {
            all |= keep[p * draws + k] << 4 * k;
        }
        bits[p] = (rs_bits)(all >> ((position + p) * d->channels + channel) % 4);
    }
}

/* Lanes beyond the channels are 0 and stay so, whatever is drawn for them. */
void RS_ISA(rs__dropout)(const rs__dropout *d, int64_t first, int64_t last, const float *x, float *y,
                         rs_pass pass)
{
    rs_bits bits[TILE];
    rs_vf zero = {0}, scale = zero + d->scale;
    for (int64_t plane = first; plane < last; plane++) {
        for (int64_t position = 0; position < d->positions; position += TILE) {
            int64_t rest = d->positions - position, count = rest < TILE ? rest : TILE;
            int64_t at = (plane * d->positions + position) * RS_LANES;
            draw_tile(d, plane / d->blocks, plane % d->blocks * RS_LANES, position, count, bits);
            for (int64_t p = 0; p < count; p++, at += RS_LANES) {
                rs_vf value = rs_where_bits(bits[p], rs_load(x + at) * scale);
                if (pass == RS_PASS_ADD) {
                    value += rs_load(y + at);
                }
                rs_store(y + at, value);
            }
        }
    }
}
