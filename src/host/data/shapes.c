/* shapes.c: the built-in data set: ten kinds of figures on 32 x 32 colour images.
 *
 * A sample is a function of (seed, split, place) through Philox and integer arithmetic alone, so every
 * machine and compiler draws the same bytes. Place modulo 10 is the class. Position, size, colours, a slanted
 * background and noise vary; figures are drawn with four samples a pixel, in units of a sixteenth of one. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "formats.h"
#include "rs/random.h"

enum {
    SIDE = 32,
    UNIT = 16, /* of a pixel */
    IMAGE_BYTES = 3 * SIDE * SIDE,
    LEAST_CONTRAST = 160,   /* sum over the channels of |figure - background| */
    CALLS_PER_SAMPLE = 256, /* of Philox: the first four choose the figure, */
    NOISE_CALL = 4          /* IMAGE_BYTES / 16 from here are noise */
};

enum { DISK, RING, SQUARE, FRAME, TRIANGLE, DIAMOND, PLUS, CROSS, STRIPES, CHECKER };

typedef struct figure {
    int kind;
    int x, y, size; /* centre and half width, in units */
    int detail;     /* a number for the kind: thickness or period, in units */
    bool upright;   /* stripes stand; triangle points up */
    int color[3], ground[3];
    int slope[3]; /* of the background, from left to right */
    int noise;    /* largest change of a byte */
} figure;

static int between(uint32_t word, int low, int high)
{
    return low + (int)(((uint64_t)word * (uint64_t)(high - low + 1)) >> 32);
}

static int distance(const int a[3], const int b[3])
{
    return abs(a[0] - b[0]) + abs(a[1] - b[1]) + abs(a[2] - b[2]);
}

static void choose_colors(figure *shape, rs_philox word, rs_philox more)
{
    for (int c = 0; c < 3; c++) {
        shape->color[c] = between(word.word[c], 0, 255);
        shape->ground[c] = between(more.word[c], 0, 255);
    }
    if (distance(shape->color, shape->ground) < LEAST_CONTRAST) {
        for (int c = 0; c < 3; c++) { /* to the far quarter of each channel */
            shape->color[c] = shape->ground[c] < 128 ? 255 - shape->color[c] / 4 : shape->color[c] / 4;
        }
    }
}

static figure choose_figure(uint64_t seed, uint64_t stream, uint64_t place)
{
    uint64_t first = place * CALLS_PER_SAMPLE;
    rs_philox a = rs_philox_at(seed, stream, first), b = rs_philox_at(seed, stream, first + 1);
    rs_philox c = rs_philox_at(seed, stream, first + 2), d = rs_philox_at(seed, stream, first + 3);
    figure shape = {.kind = (int)(place % 10)};
    shape.size = between(a.word[0], 7 * UNIT, 13 * UNIT);
    shape.x = between(a.word[1], shape.size, SIDE * UNIT - shape.size);
    shape.y = between(a.word[2], shape.size, SIDE * UNIT - shape.size);
    shape.upright = a.word[3] >> 31;
    shape.noise = between(d.word[3], 8, 40);
    shape.detail = shape.size * between(b.word[3], 28, 44) / 100;
    choose_colors(&shape, b, c);
    for (int i = 0; i < 3; i++) {
        shape.slope[i] = between(d.word[i], -48, 48);
    }
    return shape;
}

/* Whether the point (x, y), in units from the figure's centre, lies in it. */
static bool inside(const figure *shape, int x, int y)
{
    int s = shape->size, d = shape->detail, ax = abs(x), ay = abs(y), square = x * x + y * y;
    if (ax > s || ay > s) {
        return false;
    }
    switch (shape->kind) {
    case DISK:
        return square <= s * s;
    case RING:
        return square <= s * s && square >= (s - d) * (s - d);
    case SQUARE:
        return ax <= s * 7 / 8 && ay <= s * 7 / 8;
    case FRAME:
        return ax > s - d || ay > s - d;
    case TRIANGLE:
        return 2 * ax <= (shape->upright ? y + s : s - y);
    case DIAMOND:
        return ax + ay <= s;
    case PLUS:
        return 2 * ax <= d || 2 * ay <= d;
    case CROSS:
        return abs(ax - ay) * 10 <= d * 7;
    case STRIPES:
        return ((shape->upright ? x : y) + s) / d % 2 == 0;
    default:
        return ((x + s) / d + (y + s) / d) % 2 == 0;
    }
}

/* How many of a pixel's four samples lie in the figure. */
static int coverage(const figure *shape, int column, int row)
{
    int count = 0;
    for (int sample = 0; sample < 4; sample++) {
        int x = column * UNIT + UNIT / 4 + sample % 2 * (UNIT / 2) - shape->x;
        int y = row * UNIT + UNIT / 4 + sample / 2 * (UNIT / 2) - shape->y;
        count += inside(shape, x, y);
    }
    return count;
}

static uint8_t clipped(int value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void paint(const figure *shape, uint8_t *image)
{
    for (int pixel = 0; pixel < SIDE * SIDE; pixel++) {
        int column = pixel % SIDE, covered = coverage(shape, column, pixel / SIDE);
        for (int c = 0; c < 3; c++) {
            int ground = shape->ground[c] + shape->slope[c] * (2 * column - SIDE + 1) / (2 * SIDE);
            image[c * SIDE * SIDE + pixel] =
                clipped((shape->color[c] * covered + ground * (4 - covered)) / 4);
        }
    }
}

/* One byte of Philox for each byte of the image, uniform in -noise .. noise. */
static void add_noise(const figure *shape, uint64_t seed, uint64_t stream, uint64_t first, uint8_t *image)
{
    for (size_t i = 0; i < IMAGE_BYTES; i += 16) {
        rs_philox words = rs_philox_at(seed, stream, first + NOISE_CALL + i / 16);
        for (size_t k = 0; k < 16; k++) {
            int byte = (int)(words.word[k / 4] >> (8 * (k % 4)) & 0xff);
            image[i + k] = clipped(image[i + k] + (byte - 128) * shape->noise / 128);
        }
    }
}

static rs_status draw_part(const rs__set *set, uint64_t seed, const char *stream_name, int64_t count,
                           rs__part *part, rs_error *error)
{
    uint64_t stream = rs_hash64(stream_name);
    if (count > RS__SHAPES_MOST) {
        return RS_FAIL(error, RS_USAGE, "shapes: %" PRId64 " samples asked for; at most %d are drawn", count,
                       RS__SHAPES_MOST);
    }
    RS_TRY(rs__part_create(set, count, part, error));
    for (int64_t i = 0; i < count; i++) {
        uint8_t *image = part->images + (size_t)i * IMAGE_BYTES;
        figure shape = choose_figure(seed, stream, (uint64_t)i);
        paint(&shape, image);
        add_noise(&shape, seed, stream, (uint64_t)i * CALLS_PER_SAMPLE, image);
        part->labels[i] = shape.kind;
    }
    return RS_OK;
}

rs_status rs__shapes_draw(const rs__set *set, uint64_t seed, int64_t train_limit, int64_t test_limit,
                          rs__loaded *loaded, rs_error *error)
{
    int64_t train = train_limit ? train_limit : set->train_records;
    int64_t test = test_limit ? test_limit : set->test_records;
    RS_TRY(draw_part(set, seed, "shapes/train", train, &loaded->train, error));
    return draw_part(set, seed, "shapes/test", test, &loaded->test, error);
}
