/* test_resize.c: resized images are Pillow's, byte for byte; the golden file is the first argument. */
#include "data_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *golden;

enum { MOST = 4096 };

typedef struct example {
    char name[32];
    int height, width, size;
    uint8_t in[MOST], out[MOST];
} example;

static void read_hex(FILE *file, uint8_t *bytes, int count)
{
    assert_in_range(count, 1, MOST);
    for (int i = 0; i < count; i++) {
        unsigned value;
        assert_int_equal(fscanf(file, "%2x", &value), 1);
        bytes[i] = (uint8_t)value;
    }
}

static FILE *open_golden(void)
{
    FILE *file = fopen(golden, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "#%*[^\n]"), 0);
    return file;
}

static bool read_example(FILE *file, example *into)
{
    if (fscanf(file, "%31s %d %d %d", into->name, &into->height, &into->width, &into->size) != 4) {
        assert_true(feof(file));
        return false;
    }
    read_hex(file, into->in, into->height * into->width);
    read_hex(file, into->out, into->size * into->size);
    return true;
}

static void test_as_pillow(void **state)
{
    static example wanted;
    static uint8_t got[MOST];
    int count = 0;
    (void)state;
    FILE *file = open_golden();
    for (; read_example(file, &wanted); count++) {
        memset(got, 0x5a, sizeof got);
        ok(rs_resize_bytes(wanted.in, wanted.height, wanted.width, got, wanted.size, &error));
        for (int i = 0; i < wanted.size * wanted.size; i++) {
            if (got[i] != wanted.out[i]) {
                fail_msg("%s %d x %d to %d, row %d, column %d: %d, Pillow has %d", wanted.name, wanted.height,
                         wanted.width, wanted.size, i / wanted.size, i % wanted.size, got[i], wanted.out[i]);
            }
        }
        assert_int_equal(got[wanted.size * wanted.size], 0x5a);
    }
    (void)fclose(file);
    assert_int_equal(count, 19);
}

static void test_sides(void **state)
{
    static const int wrong[] = {0, -1, -32, (1 << 14) + 1, INT32_MAX};
    uint8_t in[1] = {7}, out[1] = {0};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        refused(rs_resize_bytes(in, wrong[i], 1, out, 1, &error), RS_USAGE, "sides are 1 to 16384");
        refused(rs_resize_bytes(in, 1, wrong[i], out, 1, &error), RS_USAGE, "sides are 1 to 16384");
        refused(rs_resize_bytes(in, 1, 1, out, wrong[i], &error), RS_USAGE, "sides are 1 to 16384");
    }
    assert_int_equal(out[0], 0);
    ok(rs_resize_bytes(in, 1, 1, out, 1, &error));
    assert_int_equal(out[0], 7);
}

/* The longest sides that are taken: weights of a whole row still sum to a whole, and no sum overflows. */
static void test_longest_side(void **state)
{
    enum { LONGEST = 1 << 14 };
    uint8_t *in = malloc(LONGEST), out[4];
    (void)state;
    assert_non_null(in);
    memset(in, 255, LONGEST);
    ok(rs_resize_bytes(in, LONGEST, 1, out, 2, &error));
    for (int i = 0; i < 4; i++) {
        assert_in_range(out[i], 254, 255);
    }
    free(in);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_as_pillow), cmocka_unit_test(test_sides),
                                       cmocka_unit_test(test_longest_side)};
    if (argc != 2) {
        (void)fprintf(stderr, "usage: test_resize GOLDEN_FILE\n");
        return 2;
    }
    golden = argv[1];
    return cmocka_run_group_tests_name("resize", tests, NULL, NULL);
}
