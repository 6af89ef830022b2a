/* golden_file.c: see golden_file.h; summary and checksum are those of tests/golden/summary.py. */
#include "golden_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden_inputs.h"
#include "rs/random.h"

enum { SECTION_NAME = 48, MAX_PROJECTIONS = 32 };
static const char magic[8] = "RSGOLD1\n";

typedef struct section {
    char name[SECTION_NAME + 1];
    uint64_t count;
    double *values;
} section;

struct golden_file {
    char path[512];
    section *sections;
    size_t count;
};

static bool read_section(FILE *stream, section *s)
{
    if (fread(s->name, SECTION_NAME, 1, stream) != 1) {
        return false;
    }
    if (fread(&s->count, sizeof s->count, 1, stream) != 1 || s->count > 1U << 24) {
        fail_msg("section %s: cut off or not a golden file", s->name);
    }
    s->values = malloc((size_t)s->count * sizeof(double) + 1);
    if (!s->values || fread(s->values, sizeof(double), (size_t)s->count, stream) != s->count) {
        fail_msg("section %s: cut off", s->name);
    }
    return true;
}

golden_file *golden_open(const char *directory, const char *name)
{
    golden_file *file = calloc(1, sizeof *file);
    assert_non_null(file);
    (void)snprintf(file->path, sizeof file->path, "%s/%s.gold", directory, name);
    FILE *stream = fopen(file->path, "rb");
    char start[sizeof magic];
    if (!stream || fread(start, sizeof start, 1, stream) != 1 || memcmp(start, magic, sizeof magic) != 0) {
        fail_msg("%s: not there or no golden file; make it with make_golden.py", file->path);
        abort(); /* fail_msg does not return: for the compiler */
    }
    section next = {0};
    while (read_section(stream, &next)) {
        file->sections = realloc(file->sections, (file->count + 1) * sizeof next);
        assert_non_null(file->sections);
        file->sections[file->count++] = next;
        next = (section){0};
    }
    (void)fclose(stream);
    assert_int_equal(golden_get(file, GOLDEN_VERSION), 1);
    return file;
}

void golden_close(golden_file *file)
{
    if (!file) {
        return;
    }
    for (size_t i = 0; i < file->count; i++) {
        free(file->sections[i].values);
    }
    free(file->sections);
    free(file);
}

const double *golden_section(const golden_file *file, const char *name, size_t *count)
{
    for (size_t i = 0; i < file->count; i++) {
        if (strcmp(file->sections[i].name, name) == 0) {
            if (count) {
                *count = (size_t)file->sections[i].count;
            }
            return file->sections[i].values;
        }
    }
    fail_msg("%s: no section %s", file->path, name);
    return NULL;
}

const double *golden_step_section(const golden_file *file, const char *kind, int step, size_t count)
{
    char name[SECTION_NAME];
    size_t there;
    (void)snprintf(name, sizeof name, "%s/%d", kind, step);
    const double *values = golden_section(file, name, &there);
    assert_int_equal(there, count);
    return values;
}

int golden_get(const golden_file *file, golden_about what)
{
    size_t count;
    const double *about = golden_section(file, "about", &count);
    assert_int_equal(count, GOLDEN_ABOUT);
    return (int)about[what];
}

golden_shape golden_shape_of(const golden_file *file, int step)
{
    bool first = step == 0;
    return (golden_shape){golden_get(file, first ? GOLDEN_FIRST_ENTRIES : GOLDEN_LATER_ENTRIES),
                          golden_get(file, first ? GOLDEN_FIRST_PROJECTIONS : GOLDEN_LATER_PROJECTIONS)};
}

size_t golden_summary_size(golden_shape shape)
{
    return 1 + (size_t)shape.entries + (size_t)shape.projections;
}

/* Larger of two, NaN above all. */
static double worse(double a, double b)
{
    return isnan(a) || a >= b ? a : b;
}

static uint64_t stream_of(const char *kind, const char *name)
{
    char text[128];
    (void)snprintf(text, sizeof text, "%s/%s", kind, name);
    return rs_hash64(text);
}

static double entry_distance(const char *name, const double *x, int64_t count, const double *stored,
                             int entries)
{
    uint64_t stream = stream_of("entries", name);
    double distance = 0.0;
    for (int k = 0; k < entries; k++) {
        uint64_t word = rs_philox_at(GOLDEN_SEED, stream, (uint64_t)k / 4).word[k % 4];
        distance = worse(fabs(x[(word * (uint64_t)count) >> 32] - stored[k]), distance);
    }
    return distance;
}

static double projection_distance(const char *name, const double *x, int64_t count, const double *stored,
                                  int number)
{
    uint64_t stream = stream_of("signs", name);
    double sum[MAX_PROJECTIONS] = {0}, squares = 0.0;
    assert_in_range(number, 1, MAX_PROJECTIONS);
    for (int64_t i = 0; i < count; i++) {
        uint32_t word = rs_philox_at(GOLDEN_SEED, stream, (uint64_t)i / 4).word[i % 4];
        for (int r = 0; r < number; r++) {
            sum[r] += (word >> r) & 1 ? -x[i] : x[i];
        }
    }
    for (int r = 0; r < number; r++) {
        squares += (sum[r] - stored[r]) * (sum[r] - stored[r]);
    }
    return sqrt(squares / number);
}

double golden_distance(const char *name, const double *x, int64_t count, const double *summary,
                       golden_shape shape)
{
    double squares = 0.0;
    for (int64_t i = 0; i < count; i++) {
        squares += x[i] * x[i];
    }
    double distance = fabs(sqrt(squares) - summary[0]);
    distance = worse(entry_distance(name, x, count, summary + 1, shape.entries), distance);
    distance =
        worse(projection_distance(name, x, count, summary + 1 + shape.entries, shape.projections), distance);
    return distance / summary[0];
}

uint64_t golden_checksum(const float *const *arrays, int array_count, int64_t count)
{
    static const uint64_t multiplier[] = {UINT64_C(0x9E3779B97F4A7C15), UINT64_C(0xC2B2AE3D27D4EB4F),
                                          UINT64_C(0x165667B19E3779F9)};
    uint64_t total = 0;
    assert_in_range(array_count, 1, 3);
    for (int a = 0; a < array_count; a++) {
        for (int64_t i = 0; i < count; i++) {
            float value = arrays[a][i] == 0.0F ? 0.0F : arrays[a][i];
            uint32_t bits;
            memcpy(&bits, &value, sizeof bits);
            total += (uint64_t)bits * (2 * (uint64_t)i + 1) * multiplier[a];
        }
    }
    return total;
}

uint64_t golden_stored_checksum(const double pair[2])
{
    return ((uint64_t)pair[0] << 32) | (uint64_t)pair[1];
}
