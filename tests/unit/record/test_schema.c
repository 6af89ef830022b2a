/* test_schema.c: the structure of a small record, as text, is schema.txt: every path, type, shape, chunk, filter, fill
 * value, label, scale and attribute.
 *
 *     test_schema schema.txt           compares
 *     test_schema schema.txt --write   writes it anew, to be read before it is committed */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contents.h"
#include "fixture.h"
#include "h5.h"
#include "rs/host.h"

static const char *golden;
static bool rewrite;
static char folder[] = "/tmp/rs_schema_XXXXXX";

static void print_type(FILE *to, hid_t type)
{
    size_t bits = 8 * H5Tget_size(type);
    switch (H5Tget_class(type)) {
    case H5T_FLOAT:
        (void)fprintf(to, "f%zu%s", bits, H5Tget_order(type) == H5T_ORDER_LE ? "" : "be");
        break;
    case H5T_INTEGER:
        (void)fprintf(to, "i%zu%s", bits, H5Tget_order(type) == H5T_ORDER_LE ? "" : "be");
        break;
    case H5T_STRING:
        (void)fprintf(to, "%s text", H5Tget_cset(type) == H5T_CSET_UTF8 ? "utf-8" : "ascii");
        if (H5Tis_variable_str(type) == 0) {
            (void)fprintf(to, " of %zu bytes", bits / 8);
        }
        break;
    default:
        (void)fprintf(to, "class %d", (int)H5Tget_class(type));
    }
}

static void print_shape(FILE *to, hid_t space)
{
    hsize_t extent[H5S_MAX_RANK], largest[H5S_MAX_RANK];
    int rank = H5Sget_simple_extent_dims(space, extent, largest);
    (void)fputs(" [", to);
    for (int i = 0; i < rank; i++) {
        (void)fprintf(to, "%s%llu%s", i ? ", " : "", (unsigned long long)extent[i],
                      largest[i] == H5S_UNLIMITED ? "+" : "");
    }
    (void)fputc(']', to);
}

static void print_storage(FILE *to, hid_t dataset)
{
    hsize_t chunk[H5S_MAX_RANK];
    double fill = 0;
    hid_t creation = H5Dget_create_plist(dataset);
    if (H5Pget_layout(creation) == H5D_CHUNKED) {
        int rank = H5Pget_chunk(creation, H5S_MAX_RANK, chunk);
        (void)fputs(", chunk [", to);
        for (int i = 0; i < rank; i++) {
            (void)fprintf(to, "%s%llu", i ? ", " : "", (unsigned long long)chunk[i]);
        }
        assert_true(H5Pget_fill_value(creation, H5T_NATIVE_DOUBLE, &fill) >= 0);
        (void)fprintf(to, "], %d filters, fill %g", H5Pget_nfilters(creation),
                      fill < 0 || fill >= 0 ? fill : (double)NAN);
    }
    (void)H5Pclose(creation);
}

static herr_t print_scale(hid_t dataset, unsigned axis, hid_t scale, void *to)
{
    char name[128];
    (void)dataset;
    (void)axis;
    (void)H5Iget_name(scale, name, sizeof name);
    (void)fprintf(to, " %s", name);
    return 0;
}

static void print_axes(FILE *to, hid_t dataset, int rank)
{
    char label[64];
    for (int axis = 0; axis < rank; axis++) {
        if (H5DSget_label(dataset, (unsigned)axis, label, sizeof label) > 0) {
            (void)fprintf(to, "\n    axis %s:", label);
            (void)H5DSiterate_scales(dataset, (unsigned)axis, NULL, print_scale, to);
        }
    }
    if (H5DSis_scale(dataset) > 0 && H5DSget_scale_name(dataset, label, sizeof label) > 0) {
        (void)fprintf(to, "\n    scale %s", label);
    }
}

static herr_t print_attribute(hid_t object, const char *name, const H5A_info_t *info, void *to)
{
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute);
    (void)info;
    (void)fprintf(to, "attribute %s: ", name);
    print_type(to, type);
    (void)fputc('\n', to);
    (void)H5Tclose(type);
    (void)H5Aclose(attribute);
    return 0;
}

static void print_structure(const char *path, FILE *to)
{
    rs_contents contents;
    rs_error error;
    assert_int_equal(rs_contents_open(path, &contents, &error), RS_OK);
    assert_true(H5Aiterate2(contents.file, H5_INDEX_NAME, H5_ITER_INC, NULL, print_attribute, to) >= 0);
    for (int i = 0; i < contents.count; i++) {
        hid_t dataset = H5Dopen2(contents.file, contents.list[i].path, H5P_DEFAULT);
        hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
        (void)fprintf(to, "%s: ", contents.list[i].path);
        print_type(to, type);
        print_shape(to, space);
        print_storage(to, dataset);
        print_axes(to, dataset, contents.list[i].rank);
        (void)fputc('\n', to);
        (void)H5Sclose(space);
        (void)H5Tclose(type);
        (void)H5Dclose(dataset);
    }
    rs_contents_close(&contents);
}

static void record(const char *path)
{
    static fixture made;
    rs_recorder *recorder;
    rs_position position = {0};
    rs_error error;
    fixture_init(&made, true, 3);
    assert_int_equal(rs_recorder_create(path, &made.spec, true, &recorder, &error), RS_OK);
    const rs_observer observer = rs_recorder_observer(recorder);
    assert_int_equal(fixture_train(&made, &observer, &position, 3, NULL, &error), RS_OK);
    assert_int_equal(rs_recorder_close(recorder, RS_RUN_DONE, &error), RS_OK);
}

/* Prints the lines in which the texts differ; returns how many. */
static int compare(FILE *expected, FILE *found)
{
    char line[2][512];
    int different = 0, number = 0;
    for (;;) {
        char *one = fgets(line[0], sizeof line[0], expected), *two = fgets(line[1], sizeof line[1], found);
        number++;
        if (!one && !two) {
            return different;
        }
        if (!one || !two || strcmp(one, two) != 0) {
            print_error("line %d\n  expected: %s  found:    %s", number, one ? one : "(end)\n",
                        two ? two : "(end)\n");
            different++;
        }
        if (!one || !two) {
            return different;
        }
    }
}

static void test_structure(void **state)
{
    char path[128];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/run.h5", folder);
    record(path);
    FILE *found = rewrite ? fopen(golden, "w") : tmpfile(), *expected = fopen(golden, "r");
    assert_non_null(found);
    print_structure(path, found);
    (void)unlink(path);
    rewind(found);
    if (!rewrite) {
        assert_non_null(expected);
        assert_int_equal(compare(expected, found), 0);
    }
    (void)fclose(expected);
    (void)fclose(found);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_structure)};
    if (argc < 2 || !mkdtemp(folder)) {
        return 2;
    }
    golden = argv[1];
    rewrite = argc > 2 && strcmp(argv[2], "--write") == 0;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)rmdir(folder);
    return failed;
}
