/* test_damage.c: records that are damaged, or not the same, and the command that says so. */
#include "record_case.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "h5.h"
#include "verify.h"

static void test_verify_sees_damage(void **state)
{
    struct stat about;
    int faults;
    (void)state;
    fixture_init(&made, true, EPOCHS);
    case_run(path, EPOCHS);
    case_ok(rs_record_verify(path, stderr, &faults, &error));
    assert_int_equal(faults, 0);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(truncate(path, about.st_size / 2), 0);
    FILE *nowhere = fopen("/dev/null", "w");
    rs_status status = rs_record_verify(path, nowhere, &faults, &error);
    assert_true(status == RS_DATA || (status == RS_OK && faults > 0));
    assert_int_equal(truncate(path, 4), 0);
    case_refused(rs_record_verify(path, nowhere, &faults, &error), RS_DATA, path);
    assert_int_equal(unlink(path), 0);
    case_refused(rs_record_verify(path, nowhere, &faults, &error), RS_DATA, "No such file");
    (void)fclose(nowhere);
}

/* Changes one byte of a value far into the file: only a comparison can see it. */
static void test_same_sees_one_byte(void **state)
{
    int differences;
    (void)state;
    case_run(path, 3);
    case_run(other, 3);
    case_ok(rs_record_same(path, other, stderr, &differences, &error));
    assert_int_equal(differences, 0);
    made.skew = 1e-12;
    case_run(other, 3);
    FILE *nowhere = fopen("/dev/null", "w");
    case_ok(rs_record_same(path, other, nowhere, &differences, &error));
    assert_int_equal(differences, 1);
    made.skew = 0;
    case_run(other, 2);
    case_ok(rs_record_same(path, other, nowhere, &differences, &error));
    assert_true(differences > 10);
    (void)fclose(nowhere);
}

/* A command with its output thrown away. */
static int command(int (*run_command)(int argc, char **argv), const char *first, const char *second,
                   const char *third)
{
    char *arguments[] = {"command", (char *)first, (char *)second, (char *)third, NULL};
    const int count = third ? 4 : second ? 3 : first ? 2 : 1, out = dup(1), err = dup(2);
    (void)fflush(NULL);
    FILE *nowhere = fopen("/dev/null", "w");
    assert_true(dup2(fileno(nowhere), 1) == 1 && dup2(fileno(nowhere), 2) == 2);
    int result = run_command(count, arguments);
    (void)fflush(NULL);
    assert_true(dup2(out, 1) == 1 && dup2(err, 2) == 2);
    (void)fclose(nowhere);
    (void)close(out);
    (void)close(err);
    return result;
}

static void test_commands(void **state)
{
    (void)state;
    case_run(path, 3); /* numbers that are made up: no distance follows from the weights */
    assert_int_equal(command(rs_command_verify, path, NULL, NULL), 1);
    made.spec.metrics.count = 0;
    case_run(path, 3);
    case_run(other, 3);
    assert_int_equal(command(rs_command_verify, path, NULL, NULL), 0);
    assert_int_equal(command(rs_command_verify, path, "--repair", NULL), 0);
    assert_int_equal(command(rs_command_verify, "--same", path, other), 0);
    case_run(other, 2);
    assert_int_equal(command(rs_command_verify, "--same", path, other), 1);
    assert_int_equal(command(rs_command_verify, "--same", path, "/nonexistent.h5"), 3);
    assert_int_equal(command(rs_command_verify, "--unknown", path, NULL), 2);
    assert_int_equal(command(rs_command_verify, path, other, NULL), 2);
    assert_int_equal(command(rs_command_verify, "/dev/null", NULL, NULL), 3);
    assert_int_equal(command(rs_command_verify, "/dev/null", "--repair", NULL), 3);
}

/* --- sizes that a file promises ------------------------------------------------------------------------------- */

enum { CHUNK = 1 << 20, CHUNKS = 8 };
static int64_t zeros[CHUNK];

/* A list of numbers in the file, of which the first chunks are written. */
static hid_t make_list(hid_t file, const char *name, hsize_t count, bool packed, int written)
{
    const hsize_t chunk = CHUNK;
    hid_t space = H5Screate_simple(1, &count, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
    if (packed) {
        assert_true(H5Pset_chunk(creation, 1, &chunk) >= 0 && H5Pset_deflate(creation, 9) >= 0);
    }
    hid_t dataset = H5Dcreate2(file, name, H5T_STD_I64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    hid_t memory = H5Screate_simple(1, packed ? &chunk : &count, NULL);
    for (hsize_t at = 0; at < (hsize_t)written * CHUNK; at += CHUNK) {
        if (packed) {
            assert_true(H5Sselect_hyperslab(space, H5S_SELECT_SET, &at, NULL, &chunk, NULL) >= 0);
        }
        assert_true(H5Dwrite(dataset, H5T_NATIVE_INT64, memory, space, H5P_DEFAULT, zeros) >= 0);
    }
    rs_h5_close(memory);
    rs_h5_close(creation);
    rs_h5_close(space);
    return dataset;
}

static void test_promised_sizes(void **state)
{
    const uint64_t all = (uint64_t)CHUNKS * sizeof zeros, huge = (uint64_t)1 << 40;
    hid_t file;
    (void)state;
    case_ok(rs_h5_open(path, RS_H5_CREATE, &file, &error));
    hid_t honest = make_list(file, "honest", (hsize_t)CHUNKS * CHUNK, true, CHUNKS);
    hid_t hostile = make_list(file, "hostile", huge / sizeof(int64_t), true, 1);
    hid_t unwritten = make_list(file, "unwritten", huge / sizeof(int64_t), true, 0);
    hid_t plain = make_list(file, "plain", 1024, false, 1);
    assert_true(H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0);
    assert_true(H5Dget_storage_size(honest) * 1000 < all); /* nearly as small as deflate makes anything */
    case_ok(rs_h5_check_size(honest, "honest", all, &error));
    case_refused(rs_h5_check_size(hostile, "hostile", huge, &error), RS_DATA, "hostile says that it has");
    case_refused(rs_h5_check_size(unwritten, "unwritten", huge, &error), RS_DATA, "takes 0 in the file");
    assert_int_equal(H5Dget_storage_size(plain), 8192); /* and nothing packs it */
    case_refused(rs_h5_check_size(plain, "plain", 8192 * 1000, &error), RS_DATA, "takes 8192 in the file");
    const hid_t datasets[] = {honest, hostile, unwritten, plain};
    for (size_t i = 0; i < sizeof datasets / sizeof datasets[0]; i++) {
        rs_h5_close(datasets[i]);
    }
    assert_true(H5Fclose(file) >= 0);
}

/* --- values that lie in other files --------------------------------------------------------------------------- */

enum { STATE = 16 };
static const char victim_bytes[STATE] = "running";

static hid_t open_to_spoil(const char *name)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0 && H5Ldelete(file, name, H5P_DEFAULT) >= 0);
    return file;
}

/* The state is 16 bytes of another file, which a repair would overwrite. */
static void put_state_elsewhere(void)
{
    hid_t file = open_to_spoil("state"), type = H5Tcopy(H5T_C_S1), creation = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t one = 1;
    hid_t space = H5Screate_simple(1, &one, NULL);
    assert_true(H5Tset_size(type, STATE) >= 0 && H5Pset_external(creation, other, 0, STATE) >= 0);
    hid_t dataset = H5Dcreate2(file, "state", type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    assert_true(dataset >= 0);
    rs_h5_close(dataset);
    rs_h5_close(space);
    rs_h5_close(creation);
    rs_h5_close(type);
    assert_true(H5Fclose(file) >= 0);
}

/* A column is one of another record, directly or as a virtual data set. */
static void put_column_elsewhere(const char *name, bool virtual)
{
    hid_t file = open_to_spoil(name);
    if (virtual) {
        const hsize_t rows = 7;
        hid_t space = H5Screate_simple(1, &rows, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
        assert_true(H5Pset_virtual(creation, space, other, name, space) >= 0);
        rs_h5_close(H5Dcreate2(file, name, H5T_STD_I64LE, space, H5P_DEFAULT, creation, H5P_DEFAULT));
        rs_h5_close(creation);
        rs_h5_close(space);
    } else {
        assert_true(H5Lcreate_external(other, name, file, name, H5P_DEFAULT, H5P_DEFAULT) >= 0);
    }
    assert_true(H5Fclose(file) >= 0);
}

static void write_victim(void)
{
    FILE *stream = fopen(other, "wb");
    assert_true(stream && fwrite(victim_bytes, 1, STATE, stream) == STATE && fclose(stream) == 0);
}

static void test_values_elsewhere(void **state)
{
    char bytes[STATE + 1];
    (void)state;
    case_run(path, 3);
    write_victim();
    put_state_elsewhere();
    case_refused(rs_record_repair(path, &error), RS_DATA, "in other files");
    rs_record_summary summary;
    case_refused(rs_record_summarize(path, &summary, &error), RS_DATA, "in other files");
    FILE *stream = fopen(other, "rb");
    assert_int_equal(fread(bytes, 1, sizeof bytes, stream), STATE);
    assert_memory_equal(bytes, victim_bytes, STATE);
    (void)fclose(stream);
}

static void test_columns_elsewhere(void **state)
{
    static const char *const names[] = {"steps/loss", "commits/epoch", "step"};
    const rs_position beginning = {0};
    rs_recorder *recorder;
    (void)state;
    case_run(other, 3);
    for (int i = 0; i < 6; i++) {
        case_run(path, 3);
        put_column_elsewhere(names[i / 2], i % 2);
        case_refused(rs_recorder_resume(path, &made.spec, &beginning, &recorder, &error), RS_DATA,
                     i % 2 ? "in other files" : "is missing");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_verify_sees_damage, case_fresh),
        cmocka_unit_test_setup(test_same_sees_one_byte, case_fresh),
        cmocka_unit_test_setup(test_commands, case_fresh),
        cmocka_unit_test_setup(test_promised_sizes, case_fresh),
        cmocka_unit_test_setup(test_values_elsewhere, case_fresh),
        cmocka_unit_test_setup(test_columns_elsewhere, case_fresh),
    };
    return cmocka_run_group_tests(tests, case_begin, case_end);
}
