/* test_safetensors.c: files as PyTorch's users write them, and files that lie about themselves. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rs/host.h"
#include "rs/safetensors.h"

static char path[] = "/tmp/rs_safetensors_XXXXXX";
static rs_error error;

/* Writes a file: the header's length (-1: its true one), the header, and `bytes` of data. */
static void write_file(int64_t length, const char *header, const void *data, size_t bytes)
{
    FILE *stream = fopen(path, "wb");
    uint64_t said = length < 0 ? strlen(header) : (uint64_t)length;
    assert_non_null(stream);
    assert_int_equal(fwrite(&said, sizeof said, 1, stream), 1);
    assert_int_equal(fwrite(header, 1, strlen(header), stream), strlen(header));
    assert_int_equal(fwrite(data, 1, bytes, stream), bytes);
    assert_int_equal(fclose(stream), 0);
}

static void values_come_back(void **state)
{
    static const char header[] = "{\"__metadata__\": {\"format\": \"pt\"},\n"
                                 "\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}, "
                                 "\"steps\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[24,32]},"
                                 "\"wide\":{\"data_offsets\":[32,48],\"shape\":[2],\"dtype\":\"F64\"}}  ";
    struct {
        float weight[6];
        int64_t steps;
        double wide[2];
    } data = {{1, 2, 3, 4, 5, 6.5f}, 7, {0.1, -3e38}};
    float values[6] = {0};
    rs_safetensors *file = NULL;
    const rs_shape matrix = {2, {2, 3}}, turned = {2, {3, 2}}, two = {1, {2}}, one = {0, {0}};
    (void)state;
    write_file(-1, header, &data, sizeof data);
    assert_int_equal(rs_safetensors_open(path, &file, &error), RS_OK);
    assert_true(rs_safetensors_has(file, "wide"));
    assert_false(rs_safetensors_has(file, "__metadata__"));
    assert_int_equal(rs_safetensors_read(file, "fc.weight", &matrix, values, &error), RS_OK);
    assert_memory_equal(values, data.weight, sizeof data.weight);
    assert_int_equal(rs_safetensors_read(file, "wide", &two, values, &error), RS_OK);
    assert_true(values[0] == 0.1f && values[1] == -3e38f);
    assert_int_equal(rs_safetensors_read(file, "fc.weight", &turned, values, &error), RS_DATA);
    assert_non_null(strstr(error.text, "another shape"));
    assert_int_equal(rs_safetensors_read(file, "steps", &one, values, &error), RS_DATA);
    assert_non_null(strstr(error.text, "of type I64"));
    assert_int_equal(rs_safetensors_read(file, "fc.bias", &two, values, &error), RS_DATA);
    rs_safetensors_close(file);
}

/* Every prefix of a good header, every wrong length, and offsets that point elsewhere. */
static void files_that_lie_are_refused(void **state)
{
    static const char good[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    static const char twice[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                                "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    static const char *const bad[] = {
        "[]",
        "{\"a\":{}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,5]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[18446744073709551616],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775808],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,18446744073709551615]}}",
        twice,
        "{\"a\":{\"a\":{\"a\":{\"a\":1}}}}",
    };
    static const int64_t lengths[] = {0, 1, 7, 1000, INT64_MAX};
    char cut[sizeof good];
    rs_safetensors *file = NULL;
    (void)state;
    write_file(-1, good, "abcd", 4);
    assert_int_equal(rs_safetensors_open(path, &file, &error), RS_OK);
    rs_safetensors_close(file);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_file(-1, bad[i], "abcd", 4);
        assert_int_equal(rs_safetensors_open(path, &file, &error), RS_DATA);
    }
    for (size_t i = 0; i + 1 < sizeof good; i++) {
        (void)snprintf(cut, sizeof cut, "%.*s", (int)i, good);
        write_file(-1, cut, "abcd", 4);
        assert_int_equal(rs_safetensors_open(path, &file, &error), RS_DATA);
    }
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        write_file(lengths[i], good, "abcd", 4);
        assert_int_equal(rs_safetensors_open(path, &file, &error), RS_DATA);
    }
    assert_int_equal(truncate(path, 5), 0);
    assert_int_equal(rs_safetensors_open(path, &file, &error), RS_DATA);
    assert_int_equal(rs_safetensors_open("/nowhere/a", &file, &error), RS_DATA);
}

/* A shape of other size than its bytes, and a file cut off behind a good header. */
static void sizes_are_checked_when_read(void **state)
{
    static const char header[] = "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,4]},"
                                 "\"b\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1],\"data_offsets\":[0,4]}}";
    const rs_shape four = {1, {4}}, flat = {4, {1, 1, 1, 1}};
    float values[4];
    rs_safetensors *file = NULL;
    (void)state;
    write_file(-1, header, "abcd", 4);
    assert_int_equal(rs_safetensors_open(path, &file, &error), RS_OK);
    assert_int_equal(rs_safetensors_read(file, "a", &four, values, &error), RS_DATA);
    assert_int_equal(rs_safetensors_read(file, "b", &flat, values, &error), RS_DATA);
    rs_safetensors_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back),
        cmocka_unit_test(files_that_lie_are_refused),
        cmocka_unit_test(sizes_are_checked_when_read),
    };
    int descriptor = mkstemp(path);
    if (descriptor < 0) {
        return 2;
    }
    (void)close(descriptor);
    int failed = cmocka_run_group_tests_name("safetensors", tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
