/* compare_settings.c: in what two records differ beside their weights; see compare.h. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "compare.h"
#include "rs/config.h"
#include "rs/host.h"
#include "rs/recorder.h"
#include "rs/text.h"

enum { LABEL = 25, VALUE = 24 }; /* characters of the columns */

/* A line of both values; what is too long for its column stands below the other. */
static void put_pair(const char *label, const char *a, int a_length, const char *b, int b_length,
                     const char *note, FILE *stream)
{
    if (a_length > VALUE || b_length > VALUE) {
        (void)fprintf(stream, "  %-*s A  %.*s%s\n  %-*s B  %.*s\n", LABEL, label, a_length, a, note, LABEL,
                      "", b_length, b);
    } else if (*note) {
        (void)fprintf(stream, "  %-*s %-*.*s %-*.*s%s\n", LABEL, label, VALUE, a_length, a, VALUE, b_length,
                      b, note);
    } else {
        (void)fprintf(stream, "  %-*s %-*.*s %.*s\n", LABEL, label, VALUE, a_length, a, b_length, b);
    }
}

/* --- settings ----------------------------------------------------------------------------------------------- */

/* The whole configuration of one, a line for each option in the table's order. */
static rs_status read_lines(const rs__place *place, char **text, rs_error *error)
{
    rs_config config;
    rs_config_default(&config);
    RS_TRY(rs_config_read_yaml(&config, rs_record_reader_config(place->reader), place->path, error));
    return rs_config_yaml(&config, text, error);
}

/* The value behind "key: " of a line, and the line after. */
static const char *take_value(const char **line, int *length)
{
    const char *colon = strstr(*line, ": ");
    const char *value =
        colon ? colon + 2 : *line + strlen(*line); /* rs_config_write has written it: it is there */
    *length = (int)strcspn(value, "\n");
    *line = value + *length + (value[*length] == '\n');
    return value;
}

static void print_settings(const char *a, const char *b, FILE *stream)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    int differences = 0;
    for (size_t i = 0; i < count; i++) {
        int a_length, b_length;
        const char *of_a = take_value(&a, &a_length), *of_b = take_value(&b, &b_length);
        if (a_length != b_length || strncmp(of_a, of_b, (size_t)a_length) != 0) {
            put_pair(table[i].name, of_a, a_length, of_b, b_length,
                     table[i].scope == RS_SCOPE_RUN ? " (how it is run)" : "", stream);
            differences++;
        }
    }
    if (differences == 0) {
        (void)fputs("  no differences\n", stream);
    }
}

static void print_attributes(const rs__pair *pair, FILE *stream)
{
    static const char *const names[] = {"network",   "program_version", "commit",   "device",
                                        "libraries", "gradient",        "init_from"};
    int differences = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *texts[2] = {NULL, NULL};
        rs_error ignored;
        for (int side = 0; side < 2; side++) {
            (void)rs_record_reader_attribute(pair->place[side].reader, names[i], &texts[side], &ignored);
        }
        const char *a = texts[0] ? texts[0] : "", *b = texts[1] ? texts[1] : "";
        if (strcmp(a, b) != 0) {
            put_pair(names[i], a, (int)strlen(a), b, (int)strlen(b), "", stream);
            differences++;
        }
        rs_free(texts[0]);
        rs_free(texts[1]);
    }
    if (differences == 0) {
        (void)fputs("  no differences\n", stream);
    }
}

rs_status rs__compare_settings(const rs__pair *pair, FILE *stream, rs_error *error)
{
    char *texts[2] = {NULL, NULL};
    rs_status status = read_lines(&pair->place[0], &texts[0], error);
    status = status ? status : read_lines(&pair->place[1], &texts[1], error);
    if (!status) {
        (void)fprintf(stream, "\n%-*s %-*s B\n", LABEL + 2, "configuration", VALUE, "A");
        print_settings(texts[0], texts[1], stream);
        (void)fputs("\norigin\n", stream);
        print_attributes(pair, stream);
    }
    rs_free(texts[0]);
    rs_free(texts[1]);
    return status;
}

/* --- results ------------------------------------------------------------------------------------------------ */

static void print_counts(const char *label, int64_t a, int64_t b, FILE *stream)
{
    (void)fprintf(stream, "  %-*s %-*" PRId64 " %-*" PRId64 " %+" PRId64 "\n", LABEL, label, VALUE, a, VALUE,
                  b, b - a);
}

/* The last epoch's value; NaN where there is none. */
static double last_of(const rs__place *place, const char *path)
{
    const int64_t epochs = rs_record_reader_committed(place->reader)->epochs;
    rs_error ignored;
    double value;
    return epochs > 0 &&
                   rs_record_reader_series(place->reader, path, epochs - 1, 1, 1, &value, &ignored) == RS_OK
               ? value
               : NAN;
}

static void print_numbers(const rs__pair *pair, const char *path, FILE *stream)
{
    const double a = last_of(&pair->place[0], path), b = last_of(&pair->place[1], path);
    if (isnan(a) && isnan(b)) {
        return;
    }
    (void)fprintf(stream, "  %-*s %-*.8g ", LABEL, strchr(path, '/') + 1, VALUE, rs_text_plain(a));
    if (isnan(b - a)) {
        (void)fprintf(stream, "%.8g\n", rs_text_plain(b));
    } else {
        (void)fprintf(stream, "%-*.8g %+.6g\n", VALUE, b, b - a);
    }
}

static rs_status print_states(const rs__pair *pair, FILE *stream, rs_error *error)
{
    rs_record_summary summaries[2] = {0};
    rs_status status = rs_record_summarize(pair->place[0].path, &summaries[0], error);
    status = status ? status : rs_record_summarize(pair->place[1].path, &summaries[1], error);
    if (!status) {
        put_pair("state", summaries[0].state, (int)strlen(summaries[0].state), summaries[1].state,
                 (int)strlen(summaries[1].state), "", stream);
    }
    rs_free(summaries[0].config_yaml);
    rs_free(summaries[1].config_yaml);
    return status;
}

rs_status rs__compare_results(const rs__pair *pair, FILE *stream, rs_error *error)
{
    static const char *const paths[] = {
        "epochs/train_loss",
        "epochs/train_accuracy",
        "epochs/valid_loss",
        "epochs/valid_accuracy",
        "epochs/test_loss",
        "epochs/test_accuracy",
        "epochs/valid_mean_absolute_error",
        "epochs/valid_r_squared",
        "epochs/test_mean_absolute_error",
        "epochs/test_r_squared",
        "epochs/train_seconds",
    };
    const rs_position *a = rs_record_reader_committed(pair->place[0].reader),
                      *b = rs_record_reader_committed(pair->place[1].reader);
    (void)fprintf(stream, "\n%-*s %-*s %-*s B - A\n", LABEL + 2, "results, last epoch", VALUE, "A", VALUE,
                  "B");
    RS_TRY(print_states(pair, stream, error));
    print_counts("epochs", a->epochs, b->epochs, stream);
    print_counts("steps", a->steps, b->steps, stream);
    print_counts("snapshots", a->snapshots, b->snapshots, stream);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        print_numbers(pair, paths[i], stream);
    }
    return RS_OK;
}
