/* test_reader.c: what the reader gives of a record are the values that were written, and what is not there is refused. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"
#include "h5.h"
#include "rs/host.h"
#include "rs/record_reader.h"

enum { EPOCHS = 3, LARGEST = 4 * 4 * 3 * 3 };

static char folder[] = "/tmp/rs_reader_XXXXXX";
static char path[128];
static fixture made;
static rs_error error;
static rs_record_reader *reader;

static void refused(rs_status status, rs_status expected, const char *text)
{
    assert_int_equal(status, expected);
    if (!strstr(error.text, text)) {
        fail_msg("\"%s\" does not say \"%s\"", error.text, text);
    }
}

static int open_record(void **state)
{
    rs_recorder *recorder;
    rs_position position = {0};
    (void)state;
    (void)snprintf(path, sizeof path, "%s/run.h5", folder);
    fixture_init(&made, false, EPOCHS);
    made.gradients[3] = false;
    assert_int_equal(rs_recorder_create(path, &made.spec, true, &recorder, &error), RS_OK);
    const rs_observer observer = rs_recorder_observer(recorder);
    assert_int_equal(fixture_train(&made, &observer, &position, EPOCHS, NULL, &error), RS_OK);
    assert_int_equal(rs_recorder_close(recorder, RS_RUN_DONE, &error), RS_OK);
    return rs_record_reader_open(path, &reader, &error) != RS_OK;
}

static int close_record(void **state)
{
    (void)state;
    rs_record_reader_close(reader);
    return unlink(path);
}

static bool find_item(const char *name, rs_record_item *item)
{
    for (int i = 0; rs_record_reader_item(reader, i, item); i++) {
        if (strcmp(item->path, name) == 0) {
            return true;
        }
    }
    return false;
}

static void test_items(void **state)
{
    rs_record_item item;
    double value;
    (void)state;
    assert_int_equal(rs_record_reader_list(reader, &error), RS_OK);
    assert_int_equal(rs_record_reader_list(reader, &error), RS_OK);
    assert_int_equal(rs_record_reader_series(reader, "steps/loss", 1, 1, 1, &value, &error), RS_OK);
    assert_true(rs_record_reader_has(reader, "steps/loss") && !rs_record_reader_has(reader, "steps"));
    assert_true(find_item("steps/distance_to_initial/minkowski:1", &item));
    assert_true(item.numbers && item.grows && item.rank == 2 && item.row.rank == 1);
    assert_int_equal(item.value_size, sizeof(double));
    assert_int_equal(item.rows, EPOCHS * FIXTURE_STEPS);
    assert_int_equal(item.row.dim[0], FIXTURE_BLOCKS);
    assert_true(find_item("blocks/name", &item));
    assert_true(!item.numbers && !item.grows && item.rank == 1 && item.row.rank == 0);
    assert_int_equal(item.rows, FIXTURE_BLOCKS);
    assert_true(find_item("config", &item));
    assert_true(!item.grows && item.rank == 0 && item.rows == 1);
    assert_false(find_item("nothing", &item));
    assert_false(rs_record_reader_item(reader, -1, &item));
    assert_false(rs_record_reader_item(reader, 100000, &item));
}

static void test_whole(void **state)
{
    rs_snapshot_place place;
    int64_t last = -1;
    char *device = NULL;
    (void)state;
    assert_string_equal(rs_record_reader_path(reader), path);
    assert_string_equal(rs_record_reader_config(reader), made.spec.config_yaml);
    assert_int_equal(rs_record_reader_committed(reader)->steps, EPOCHS * FIXTURE_STEPS);
    assert_int_equal(rs_record_reader_find_snapshot(reader, "last", &last, &error), RS_OK);
    assert_int_equal(last, EPOCHS);
    assert_int_equal(rs_record_reader_find_snapshot(reader, "1", &last, &error), RS_OK);
    assert_int_equal(rs_record_reader_snapshot(reader, last, &place, &error), RS_OK);
    assert_int_equal(place.epoch, 1);
    assert_int_equal(place.step, FIXTURE_STEPS);
    assert_int_equal(rs_record_reader_attribute(reader, "device", &device, &error), RS_OK);
    assert_string_equal(device, made.spec.provenance.device);
    rs_free(device);
}

static void test_tensors(void **state)
{
    float values[LARGEST];
    (void)state;
    for (int i = 0; i < FIXTURE_PARAMETERS; i++) {
        const rs_parameter *parameter = &made.parameters[i];
        for (int64_t row = 0; row <= EPOCHS; row++) {
            assert_int_equal(
                rs_record_reader_tensor(reader, parameter->name, row, &parameter->shape, values, &error),
                RS_OK);
            for (int64_t e = 0; e < parameter->count; e++) {
                assert_true(values[e] == fixture_value('w', i, row, e));
            }
        }
    }
    const rs_parameter *mean = &made.buffers[0], *first = &made.parameters[0];
    assert_int_equal(rs_record_reader_tensor(reader, mean->name, 2, &mean->shape, values, &error), RS_OK);
    assert_true(values[3] == fixture_value('b', 0, 2, 3));
    assert_int_equal(rs_record_reader_gradient(reader, first->name, 2, &first->shape, values, &error), RS_OK);
    assert_true(values[7] == fixture_value('g', 0, 2, 7));
}

static void test_series(void **state)
{
    static const char distances[] = "steps/distance_to_initial/minkowski:1";
    double values[4 * FIXTURE_BLOCKS];
    int64_t rows, width;
    char name[RS_NAME_MAX];
    (void)state;
    assert_int_equal(rs_record_reader_series_size(reader, distances, &rows, &width, &error), RS_OK);
    assert_int_equal(rows, EPOCHS * FIXTURE_STEPS);
    assert_int_equal(width, FIXTURE_BLOCKS);
    assert_int_equal(rs_record_reader_series(reader, distances, 2, 4, FIXTURE_BLOCKS, values, &error), RS_OK);
    assert_true(values[5] == fixture_number('i', 1, 4));
    assert_int_equal(rs_record_reader_series(reader, "blocks/weights", 1, 1, 1, values, &error), RS_OK);
    assert_true(values[0] == 101.0);
    assert_int_equal(rs_record_reader_name(reader, "blocks/name", 1, name, &error), RS_OK);
    assert_string_equal(name, "layer1.1");
}

static void test_refused(void **state)
{
    const rs_shape *shape = &made.parameters[0].shape;
    rs_shape wrong = *shape;
    float values[LARGEST];
    double numbers[64];
    int64_t snapshot;
    char name[RS_NAME_MAX];
    rs_record_reader *none;
    (void)state;
    wrong.dim[1]++;
    refused(rs_record_reader_open("/nowhere.h5", &none, &error), RS_DATA, "/nowhere.h5");
    refused(rs_record_reader_find_snapshot(reader, "4", &snapshot, &error), RS_USAGE, "0 to 3, or last");
    refused(rs_record_reader_find_snapshot(reader, "-1", &snapshot, &error), RS_USAGE, "0 to 3, or last");
    refused(rs_record_reader_tensor(reader, "conv1.weight", 4, shape, values, &error), RS_DATA, "4 rows");
    refused(rs_record_reader_tensor(reader, "conv1.weight", 1, &wrong, values, &error), RS_DATA,
            "another shape");
    refused(rs_record_reader_tensor(reader, "conv2.weight", 1, shape, values, &error), RS_DATA,
            "not recorded");
    refused(rs_record_reader_gradient(reader, "fc.weight", 1, shape, values, &error), RS_DATA,
            "not recorded");
    refused(rs_record_reader_series(reader, "steps/loss", 8, 2, 1, numbers, &error), RS_DATA, "9 rows");
    refused(rs_record_reader_series(reader, "config", 0, 1, 1, numbers, &error), RS_DATA,
            "not as a record has it");
    refused(rs_record_reader_name(reader, "blocks/name", 2, name, &error), RS_DATA, "no text 2");
}

/* Puts rows of `width` integers where a record has others. */
static void widen(hid_t file, const char *name, hsize_t rows, hsize_t width)
{
    const hsize_t dim[] = {rows, width};
    hid_t space = H5Screate_simple(2, dim, NULL);
    assert_true(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
    hid_t made_wide = H5Dcreate2(file, name, H5T_NATIVE_INT64, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(made_wide >= 0 && H5Dclose(made_wide) >= 0 && H5Sclose(space) >= 0);
}

/* A file whose rows are longer than a record's must not be read over the end of what waits for them. */
static void test_too_wide(void **state)
{
    enum { WIDE = 4096 };
    char copy[160], command[512];
    rs_record_reader *wide;
    rs_snapshot_place place[1 + WIDE] = {{0}};
    double values[2] = {0};
    (void)state;
    (void)snprintf(copy, sizeof copy, "%s/wide.h5", folder);
    (void)snprintf(command, sizeof command, "cp %s %s", path, copy);
    assert_int_equal(system(command), 0);
    hid_t file = H5Fopen(copy, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    widen(file, "snapshots/epoch", EPOCHS + 1, WIDE);
    widen(file, "epochs/train_loss", EPOCHS, 2);
    assert_true(H5Fclose(file) >= 0);
    assert_int_equal(rs_record_reader_open(copy, &wide, &error), RS_OK);
    refused(rs_record_reader_snapshot(wide, 0, place, &error), RS_DATA,
            "a row of snapshots/epoch has 4096 numbers, not 1");
    refused(rs_record_reader_series(wide, "epochs/train_loss", 0, 1, 1, values, &error), RS_DATA,
            "a row of epochs/train_loss has 2 numbers, not 1");
    rs_record_reader_close(wide);
    assert_int_equal(unlink(copy), 0);
}

/* Only what lies in the file itself is there, under one spelling of its name. */
static void test_not_there(void **state)
{
    static const char *const not_there[] = {
        "steps",   "steps/", "/steps/loss", "./steps/loss", "steps//loss", "soft", "outside",
        "no/such", "",       "steps/loss/x"};
    char copy[160], command[512];
    rs_record_reader *linked;
    double value;
    (void)state;
    (void)snprintf(copy, sizeof copy, "%s/linked.h5", folder);
    (void)snprintf(command, sizeof command, "cp %s %s", path, copy);
    assert_int_equal(system(command), 0);
    hid_t file = H5Fopen(copy, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    assert_true(H5Lcreate_soft("/steps/loss", file, "soft", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_external(path, "/steps/loss", file, "outside", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Lcreate_hard(file, "steps/loss", file, "hard", H5P_DEFAULT, H5P_DEFAULT) >= 0);
    assert_true(H5Fclose(file) >= 0);
    assert_int_equal(rs_record_reader_open(copy, &linked, &error), RS_OK);
    for (size_t i = 0; i < sizeof not_there / sizeof not_there[0]; i++) {
        assert_false(rs_record_reader_has(linked, not_there[i]));
        refused(rs_record_reader_series(linked, not_there[i], 0, 1, 1, &value, &error), RS_DATA,
                "was not recorded");
    }
    assert_true(rs_record_reader_has(linked, "hard"));
    rs_record_reader_close(linked);
    assert_int_equal(unlink(copy), 0);
}

int main(void)
{
    /* test_items makes the list: before it everything is looked up. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),   cmocka_unit_test(test_tensors),  cmocka_unit_test(test_series),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_too_wide), cmocka_unit_test(test_not_there),
        cmocka_unit_test(test_items),
    };
    if (!mkdtemp(folder)) {
        return 2;
    }
    int failed = cmocka_run_group_tests(tests, open_record, close_record);
    (void)rmdir(folder);
    return failed;
}
