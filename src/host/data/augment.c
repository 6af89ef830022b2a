/* augment.c: random changes of an image's bytes; see augment.h. Arithmetic is Pillow's, so that bytes are, too. */
#include "augment.h"

#include <math.h>
#include <string.h>

#include "rs/random.h"

#define PI 3.14159265358979323846

/* --- what is drawn */

/* A stream for each epoch, and two calls for each sample. */
#define AUGMENT_STREAM(epoch) (UINT64_C(0x6175676d00000000) ^ (uint64_t)(epoch))

/* -most .. most, each as likely but for some 1e-7 of them. */
static int offset(uint32_t word, int most)
{
    return (int)(((uint64_t)word * (uint64_t)(2 * most + 1)) >> 32) - most;
}

/* In [middle - width, middle + width). */
static double around(uint32_t word, double middle, double width)
{
    return middle + width * (2.0 * (double)rs_unit_float(word) - 1.0);
}

rs__change rs__draw_change(const rs_augmentation *augmentation, uint64_t seed, int64_t epoch, int64_t sample)
{
    uint64_t call = 2 * (uint64_t)sample;
    rs_philox place = rs_philox_at(seed, AUGMENT_STREAM(epoch), call);
    rs_philox colour = rs_philox_at(seed, AUGMENT_STREAM(epoch), call + 1);
    return (rs__change){.flip = augmentation->flip && place.word[0] >> 31,
                        .down = offset(place.word[1], augmentation->crop),
                        .right = offset(place.word[2], augmentation->crop),
                        .angle = around(place.word[3], 0.0, augmentation->rotate),
                        .brightness = around(colour.word[0], 1.0, augmentation->jitter),
                        .contrast = around(colour.word[1], 1.0, augmentation->jitter),
                        .saturation = around(colour.word[2], 1.0, augmentation->jitter)};
}

/* --- where pixels come from */

void rs__flip(const rs__frame *frame, const uint8_t *in, uint8_t *out)
{
    int width = frame->width;
    for (int row = 0; row < frame->channels * frame->height; row++, in += width, out += width) {
        for (int x = 0; x < width; x++) {
            out[x] = in[width - 1 - x];
        }
    }
}

void rs__shift(const rs__frame *frame, const uint8_t *in, int down, int right, uint8_t *out)
{
    int height = frame->height, width = frame->width;
    for (int c = 0; c < frame->channels; c++, in += height * width) {
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int from_y = y + down, from_x = x + right;
                bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
                *out++ = inside ? in[from_y * width + from_x] : 0;
            }
        }
    }
}

/* A place in an image and its change along a row and a column, in units of 2^-16 pixels. */
typedef struct walk {
    int64_t start, by_column, by_row;
} walk;

static int64_t fixed(double value)
{
    return (int64_t)floor(value * 65536.0 + 0.5);
}

/* Where a * (x + 1/2) + b * (y + 1/2) + c runs along, if (a, b) turns about the middle of the image. */
static walk walk_of(double a, double b, const rs__frame *frame, double middle)
{
    double c = middle - a * (frame->width / 2.0) - b * (frame->height / 2.0);
    return (walk){fixed(c + a * 0.5 + b * 0.5), fixed(a), fixed(b)};
}

void rs__rotate(const rs__frame *frame, const uint8_t *in, double degrees, uint8_t *out)
{
    int height = frame->height, width = frame->width;
    double angle = degrees * PI / 180.0, c = cos(angle), s = sin(angle);
    walk across = walk_of(c, -s, frame, width / 2.0), along = walk_of(s, c, frame, height / 2.0);
    for (int channel = 0; channel < frame->channels; channel++, in += height * width) {
        for (int y = 0; y < height; y++) {
            int64_t at_x = across.start + y * across.by_row, at_y = along.start + y * along.by_row;
            for (int x = 0; x < width; x++, at_x += across.by_column, at_y += along.by_column) {
                int64_t from_x = at_x >> 16, from_y = at_y >> 16;
                bool inside = from_x >= 0 && from_x < width && from_y >= 0 && from_y < height;
                *out++ = inside ? in[from_y * width + from_x] : 0;
            }
        }
    }
}

/* --- colour */

/* Between `from` and `to`, or beyond, cut off to a byte. */
static uint8_t blend(int from, int to, float share)
{
    float value = (float)from + share * (float)(to - from);
    return (uint8_t)(value <= 0.0F ? 0.0F : value >= 255.0F ? 255.0F : value);
}

/* Grey of pixel i of a plane; a grey image's own byte. */
static int grey(const rs__frame *frame, const uint8_t *image, int i)
{
    int plane = frame->height * frame->width;
    if (frame->channels == 1) {
        return image[i];
    }
    return (image[i] * 19595 + image[plane + i] * 38470 + image[2 * plane + i] * 7471 + 0x8000) >> 16;
}

void rs__set_brightness(const rs__frame *frame, uint8_t *image, double factor)
{
    for (int i = 0; i < frame->channels * frame->height * frame->width; i++) {
        image[i] = blend(0, image[i], (float)factor);
    }
}

void rs__set_contrast(const rs__frame *frame, uint8_t *image, double factor)
{
    int plane = frame->height * frame->width;
    int64_t sum = 0;
    for (int i = 0; i < plane; i++) {
        sum += grey(frame, image, i);
    }
    int mean = (int)((double)sum / plane + 0.5);
    for (int i = 0; i < frame->channels * plane; i++) {
        image[i] = blend(mean, image[i], (float)factor);
    }
}

void rs__set_saturation(const rs__frame *frame, uint8_t *image, double factor)
{
    int plane = frame->height * frame->width;
    for (int i = 0; frame->channels == 3 && i < plane; i++) {
        int without = grey(frame, image, i);
        for (int c = 0; c < 3; c++) {
            image[c * plane + i] = blend(without, image[c * plane + i], (float)factor);
        }
    }
}

/* --- all of them */

rs_status rs__augment_check_frame(const rs_augmentation *augmentation, const rs__frame *frame,
                                  rs_error *error)
{
    bool colour = augmentation->jitter > 0.0 && frame->channels != 1 && frame->channels != 3;
    return colour ? RS_FAIL(error, RS_USAGE, "jitter is of images with 1 or 3 channels; these have %d",
                            frame->channels)
                  : RS_OK;
}

void rs__apply_change(const rs_augmentation *augmentation, const rs__change *change, const rs__frame *frame,
                      uint8_t *image, uint8_t *scratch)
{
    size_t bytes = (size_t)frame->channels * (size_t)frame->height * (size_t)frame->width;
    if (change->flip) {
        rs__flip(frame, image, scratch);
        memcpy(image, scratch, bytes);
    }
    if (change->down != 0 || change->right != 0) {
        rs__shift(frame, image, change->down, change->right, scratch);
        memcpy(image, scratch, bytes);
    }
    if (augmentation->rotate > 0.0) {
        rs__rotate(frame, image, change->angle, scratch);
        memcpy(image, scratch, bytes);
    }
    if (augmentation->jitter > 0.0) {
        rs__set_brightness(frame, image, change->brightness);
        rs__set_contrast(frame, image, change->contrast);
        rs__set_saturation(frame, image, change->saturation);
    }
}
