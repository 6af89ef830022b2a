/* test_augment.c: changed images are torchvision's, byte for byte (the golden file is the first argument); what is drawn
 * is spread as it should be; batches are changed the same however they are gathered. */
#include "data_files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "augment.h"

enum { MOST = 3 * 32 * 32, CASES = 79, GUARD = 0x5a };

static const char *golden;

/* --- single changes */

typedef struct example {
    char change[16];
    double a, b;
    rs__frame frame;
    int bytes;
    uint8_t in[MOST], out[MOST];
} example;

static void read_hex(FILE *file, uint8_t *bytes, int count)
{
    for (int i = 0; i < count; i++) {
        unsigned value;
        assert_int_equal(fscanf(file, "%2x", &value), 1);
        bytes[i] = (uint8_t)value;
    }
}

static bool read_example(FILE *file, example *into)
{
    rs__frame *f = &into->frame;
    if (fscanf(file, "%15s %lf %lf %d %d %d", into->change, &into->a, &into->b, &f->channels, &f->height,
               &f->width) != 6) {
        assert_true(feof(file));
        return false;
    }
    into->bytes = f->channels * f->height * f->width;
    assert_in_range(into->bytes, 1, MOST);
    read_hex(file, into->in, into->bytes);
    read_hex(file, into->out, into->bytes);
    return true;
}

static void apply(const example *e, uint8_t *out)
{
    const char *change = e->change;
    memcpy(out, e->in, (size_t)e->bytes); /* colour changes in place */
    if (strcmp(change, "flip") == 0) {
        rs__flip(&e->frame, e->in, out);
    } else if (strcmp(change, "crop") == 0) {
        rs__shift(&e->frame, e->in, (int)e->a, (int)e->b, out);
    } else if (strcmp(change, "rotate") == 0) {
        rs__rotate(&e->frame, e->in, e->a, out);
    } else if (strcmp(change, "brightness") == 0) {
        rs__set_brightness(&e->frame, out, e->a);
    } else if (strcmp(change, "contrast") == 0) {
        rs__set_contrast(&e->frame, out, e->a);
    } else {
        assert_string_equal(change, "saturation");
        rs__set_saturation(&e->frame, out, e->a);
    }
}

static void test_as_torchvision(void **state)
{
    static example wanted;
    static uint8_t got[MOST + 1];
    int count = 0;
    FILE *file = fopen(golden, "r");
    (void)state;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "#%*[^\n]"), 0);
    for (; read_example(file, &wanted); count++) {
        memset(got, GUARD, sizeof got);
        apply(&wanted, got);
        for (int i = 0; i < wanted.bytes; i++) {
            if (got[i] != wanted.out[i]) {
                fail_msg("%s %g %g of %d x %d x %d, byte %d: %d, torchvision has %d", wanted.change, wanted.a,
                         wanted.b, wanted.frame.channels, wanted.frame.height, wanted.frame.width, i, got[i],
                         wanted.out[i]);
            }
        }
        assert_int_equal(got[wanted.bytes], GUARD);
    }
    (void)fclose(file);
    assert_int_equal(count, CASES);
}

/* --- what is drawn */

enum { DRAWS = 20000 };

/* `sum` of DRAWS numbers that are uniform with this mean and half width: within four sigma. */
static void check_mean(double sum, double mean, double half_width)
{
    assert_true(fabs(sum / DRAWS - mean) <= 4.0 * half_width / sqrt(3.0 * DRAWS));
}

static void test_spread(void **state)
{
    const rs_augmentation all = {.flip = true, .crop = 4, .rotate = 15.0, .jitter = 0.4};
    int flips = 0, downs[9] = {0}, rights[9] = {0};
    double angles = 0.0, colours[3] = {0.0}, widest = 0.0;
    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        rs__change c = rs__draw_change(&all, 3, i / 1000, i % 1000);
        double colour[3] = {c.brightness, c.contrast, c.saturation};
        assert_in_range(c.down + 4, 0, 8);
        assert_in_range(c.right + 4, 0, 8);
        assert_true(fabs(c.angle) <= 15.0);
        flips += c.flip;
        downs[c.down + 4]++;
        rights[c.right + 4]++;
        angles += c.angle;
        widest = fabs(c.angle) > widest ? fabs(c.angle) : widest;
        for (int k = 0; k < 3; k++) {
            assert_true(colour[k] >= 0.6 && colour[k] <= 1.4);
            colours[k] += colour[k];
        }
    }
    assert_in_range(flips, DRAWS / 2 - 283, DRAWS / 2 + 283);
    for (int i = 0; i < 9; i++) {
        assert_in_range(downs[i], 2222 - 178, 2222 + 178);
        assert_in_range(rights[i], 2222 - 178, 2222 + 178);
    }
    check_mean(angles, 0.0, 15.0);
    assert_true(widest > 14.9);
    for (int k = 0; k < 3; k++) {
        check_mean(colours[k], 1.0, 0.4);
    }
}

/* No two of the numbers drawn for a sample follow each other. */
static void test_draws_are_independent(void **state)
{
    enum { NUMBERS = 7 };
    const rs_augmentation all = {.flip = true, .crop = 4, .rotate = 15.0, .jitter = 0.4};
    double products[NUMBERS][NUMBERS] = {{0.0}};
    (void)state;
    for (int i = 0; i < DRAWS; i++) {
        rs__change c = rs__draw_change(&all, 8, i % 7, i);
        const double centred[NUMBERS] = {c.flip - 0.5,       c.down,           c.right,           c.angle,
                                         c.brightness - 1.0, c.contrast - 1.0, c.saturation - 1.0};
        for (int k = 0; k < NUMBERS * NUMBERS; k++) {
            products[k / NUMBERS][k % NUMBERS] += centred[k / NUMBERS] * centred[k % NUMBERS];
        }
    }
    for (int a = 0; a < NUMBERS; a++) {
        for (int b = 0; b < a; b++) {
            double correlation = products[a][b] / sqrt(products[a][a] * products[b][b]);
            assert_true(fabs(correlation) <= 4.0 / sqrt(DRAWS));
        }
    }
}

static bool same_change(const rs__change *a, const rs__change *b)
{
    return a->flip == b->flip && a->down == b->down && a->right == b->right && a->angle == b->angle &&
           a->brightness == b->brightness && a->contrast == b->contrast && a->saturation == b->saturation;
}

/* Seed, epoch and sample each make another draw; the same three the same one. */
static void test_draws_depend_on_all_three(void **state)
{
    const rs_augmentation all = {.flip = true, .crop = 4, .rotate = 15.0, .jitter = 0.4}, none = {0};
    rs__change first = rs__draw_change(&all, 1, 2, 3), again = rs__draw_change(&all, 1, 2, 3);
    (void)state;
    assert_true(same_change(&first, &again));
    for (int i = 0; i < 3; i++) {
        rs__change other = rs__draw_change(&all, 1 + (i == 0), 2 + (i == 1), 3 + (i == 2));
        assert_true(other.angle != first.angle && other.brightness != first.brightness);
        assert_true(other.contrast != first.contrast && other.saturation != first.saturation);
    }
    for (int i = 0; i < 100; i++) { /* what is off does nothing */
        rs__change still = rs__draw_change(&none, 1, 0, i);
        assert_true(!still.flip && still.down == 0 && still.right == 0 && still.angle == 0.0);
        assert_true(still.brightness == 1.0 && still.contrast == 1.0 && still.saturation == 1.0);
    }
}

/* --- batches */

enum { SAMPLES = 23, SIDE = 12, BYTES = 3 * SIDE * SIDE, SEED = 5, AUGMENT_SEED = 9 };

static uint8_t images[SAMPLES * BYTES];
static int32_t labels[SAMPLES];
static const rs_dataset dataset = {.channels = 3,
                                   .height = SIDE,
                                   .width = SIDE,
                                   .classes = 10,
                                   .train = {.count = SAMPLES, .images = images, .labels = labels}};

static int fill_images(void **state)
{
    (void)state;
    for (int64_t i = 0; i < SAMPLES * BYTES; i++) {
        images[i] = made_pixel(TRAIN, i / BYTES, i % BYTES);
        labels[i / BYTES] = made_label(TRAIN, i / BYTES, 10);
    }
    return 0;
}

static rs_loader *create(const rs_augmentation *augment, int64_t batch_size, bool shuffle, bool prefetch)
{
    rs_loader *loader = NULL;
    rs_loader_options options = {.batch_size = batch_size,
                                 .shuffle = shuffle,
                                 .seed = SEED,
                                 .prefetch = prefetch,
                                 .augment = *augment,
                                 .augment_seed = AUGMENT_SEED};
    ok(rs_loader_create(&dataset, &dataset.train, &options, &loader, &error));
    return loader;
}

/* Sample i of an epoch by the single changes, in the promised order. */
static void expected_image(const rs_augmentation *a, int64_t epoch, int64_t sample, uint8_t out[BYTES])
{
    const rs__frame frame = {3, SIDE, SIDE};
    rs__change c = rs__draw_change(a, AUGMENT_SEED, epoch, sample);
    uint8_t flipped[BYTES], moved[BYTES];
    memcpy(flipped, images + sample * BYTES, BYTES);
    if (c.flip) {
        rs__flip(&frame, images + sample * BYTES, flipped);
    }
    rs__shift(&frame, flipped, c.down, c.right, moved);
    rs__rotate(&frame, moved, c.angle, out);
    rs__set_brightness(&frame, out, c.brightness);
    rs__set_contrast(&frame, out, c.contrast);
    rs__set_saturation(&frame, out, c.saturation);
}

/* Takes an epoch from a batch on and compares each image; returns how many differ from the data set's. */
static int check_epoch(rs_loader *loader, const rs_augmentation *a, int64_t epoch, int64_t first)
{
    int changed = 0;
    rs_batch batch;
    ok(rs_loader_start(loader, epoch, first, &error));
    do {
        ok(rs_loader_next(loader, &batch, &error));
        assert_true(batch.count == 0 || (batch.split == NULL) == rs_augmentation_any(a));
        for (int64_t i = 0; i < batch.count; i++) {
            uint8_t wanted[BYTES];
            int64_t sample = batch.sample_ids[i];
            expected_image(a, epoch, sample, wanted);
            assert_memory_equal(batch.images + i * BYTES, wanted, BYTES);
            assert_int_equal(batch.labels[i], labels[sample]);
            changed += memcmp(wanted, images + sample * BYTES, BYTES) != 0;
        }
    } while (batch.count > 0);
    return changed;
}

/* Batch size, order, thread and a start in mid-epoch change no image. */
static void test_batches(void **state)
{
    static const rs_augmentation cases[] = {{.flip = true},  {.crop = 3},          {.rotate = 20.0},
                                            {.jitter = 0.3}, {true, 2, 10.0, 0.2}, {0}};
    (void)state;
    for (int i = 0; i < 6 * 8; i++) {
        const rs_augmentation *a = &cases[i / 8];
        rs_loader *loader = create(a, i & 1 ? 4 : 0, (i & 2) != 0, (i & 4) != 0);
        int changed = check_epoch(loader, a, 0, 0) + check_epoch(loader, a, 6, 0);
        check_epoch(loader, a, 6, i & 1 ? 3 : 1);
        assert_in_range(changed, i / 8 == 5 ? 0 : SAMPLES / 2, i / 8 == 5 ? 0 : 2 * SAMPLES);
        rs_loader_destroy(loader);
    }
}

static void refuse(const rs_loader_options *options, const rs_dataset *of, const char *text)
{
    rs_loader *loader = NULL;
    refused(rs_loader_create(of, &of->train, options, &loader, &error), RS_USAGE, text);
    assert_null(loader);
}

static void test_wrong_uses(void **state)
{
    static const float values[SAMPLES] = {0};
    static const uint8_t bytes[2 * SAMPLES] = {0};
    const rs_dataset numbers = {.channels = 1,
                                .height = 1,
                                .width = 1,
                                .classes = 1,
                                .train = {.count = SAMPLES, .values = values, .targets = values}};
    const rs_dataset pairs = {.channels = 2,
                              .height = 1,
                              .width = 1,
                              .classes = 10,
                              .train = {.count = SAMPLES, .images = bytes, .labels = labels}};
    rs_loader_options options = {.batch_size = 4, .augment = {.flip = true}, .leave_out_images = true};
    (void)state;
    refuse(&options, &dataset, "augmentation changes the images of batches; these have none");
    options.leave_out_images = false;
    refuse(&options, &numbers, "augmentation changes the images of batches; these have none");
    options.augment.jitter = 0.1;
    refuse(&options, &pairs, "jitter is of images with 1 or 3 channels; these have 2");
}

static void test_texts(void **state)
{
    static const char *const refusals[] = {
        "flop",    "flip,flip",   "crop",       "crop:0",   "crop:1.5",    "crop:257",
        "crop:-1", "rotate:181",  "rotate:nan", "rotate:0", "jitter:1.01", "jitter:0.1,jitter:0.2",
        ",",       "flip crop:2", "crop:2x"};
    rs_augmentation given;
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        assert_int_equal(rs_augmentation_parse(refusals[i], &given, &error), RS_USAGE);
    }
    ok(rs_augmentation_parse("", &given, &error));
    assert_false(rs_augmentation_any(&given));
    ok(rs_augmentation_parse("jitter:0.25, rotate:15,crop:4,flip", &given, &error));
    assert_true(given.flip && given.crop == 4 && given.rotate == 15.0 && given.jitter == 0.25);
    assert_true(rs_augmentation_any(&given));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_as_torchvision),
                                       cmocka_unit_test(test_spread),
                                       cmocka_unit_test(test_draws_are_independent),
                                       cmocka_unit_test(test_draws_depend_on_all_three),
                                       cmocka_unit_test(test_batches),
                                       cmocka_unit_test(test_wrong_uses),
                                       cmocka_unit_test(test_texts)};
    if (argc != 2) {
        (void)fprintf(stderr, "usage: test_augment GOLDEN_FILE\n");
        return 2;
    }
    golden = argv[1];
    return cmocka_run_group_tests_name("augmentation", tests, fill_images, NULL);
}
