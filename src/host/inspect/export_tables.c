/* export_tables.c: the series and lists of a record as CSV, a file a table, and as one JSON file. They are read in pieces. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "export.h"
#include "rs/host.h"
#include "rs/json.h"
#include "tables.h"

enum { PIECE_NUMBERS = 1 << 18 };

void rs__csv_text(FILE *stream, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        (void)fputs(text, stream);
        return;
    }
    (void)fputc('"', stream);
    for (; *text; text++) {
        (void)fprintf(stream, *text == '"' ? "\"\"" : "%c", *text);
    }
    (void)fputc('"', stream);
}

void rs__csv_number(FILE *stream, double value)
{
    if (isnan(value)) {
        (void)fputs("nan", stream); /* without a sign */
    } else {
        (void)fprintf(stream, "%.17g", value);
    }
}

/* --- CSV ---------------------------------------------------------------------------------------------------- */

static void put_header(const rs__table *table, FILE *stream)
{
    char name[RS__TABLE_NAME + 24];
    for (int s = 0; s < table->count; s++) {
        for (int64_t c = 0; c < table->sources[s].width; c++) {
            rs__source_column(&table->sources[s], c, name, sizeof name);
            (void)fputs(s + c ? "," : "", stream);
            rs__csv_text(stream, name);
        }
    }
    (void)fputc('\n', stream);
}

static int64_t numbers_in_a_row(const rs__table *table)
{
    int64_t width = 0;
    for (int s = 0; s < table->count; s++) {
        width += table->sources[s].text ? 0 : table->sources[s].width;
    }
    return width;
}

/* Reads rows of all sources of numbers, one source after the other. */
static rs_status read_piece(const rs_record_reader *reader, const rs__table *table, int64_t first,
                            int64_t rows, double *values, rs_error *error)
{
    for (int s = 0; s < table->count; s++) {
        const rs__source *source = &table->sources[s];
        if (!source->text) {
            RS_TRY(rs_record_reader_series(reader, source->path, first, rows, source->width, values, error));
            values += rows * source->width;
        }
    }
    return RS_OK;
}

static rs_status put_row(const rs_record_reader *reader, const rs__table *table, int64_t row,
                         const double *values, int64_t at, int64_t rows, FILE *stream, rs_error *error)
{
    for (int s = 0; s < table->count; s++) {
        const rs__source *source = &table->sources[s];
        if (source->text) {
            char text[RS_NAME_MAX];
            RS_TRY(rs_record_reader_name(reader, source->path, row, text, error));
            (void)fputs(s ? "," : "", stream);
            rs__csv_text(stream, text);
            continue;
        }
        for (int64_t c = 0; c < source->width; c++) {
            (void)fputs(s + c ? "," : "", stream);
            rs__csv_number(stream, values[at * source->width + c]);
        }
        values += rows * source->width;
    }
    (void)fputc('\n', stream);
    return RS_OK;
}

static rs_status put_table(const rs_record_reader *reader, const rs__table *table, FILE *stream,
                           rs_error *error)
{
    const int64_t width = numbers_in_a_row(table);
    const int64_t fit = PIECE_NUMBERS / (width + 1), piece = fit > 0 ? fit : 1;
    double *values = rs_alloc_array((size_t)(piece * width) + 1, sizeof *values);
    if (!values) {
        return RS_FAIL(error, RS_MEMORY, "no memory for rows of %" PRId64 " numbers", width);
    }
    rs_status status = RS_OK;
    put_header(table, stream);
    for (int64_t first = 0; !status && first < table->rows; first += piece) {
        const int64_t rows = table->rows - first < piece ? table->rows - first : piece;
        status = read_piece(reader, table, first, rows, values, error);
        for (int64_t i = 0; !status && i < rows; i++) {
            status = put_row(reader, table, first + i, values, i, rows, stream, error);
        }
    }
    rs_free(values);
    return status;
}

static rs_status put_config(const rs__export *what, rs_error *error)
{
    FILE *stream;
    RS_TRY(rs__outputs_open(what->outputs, "config.yaml", &stream, error));
    (void)fputs(rs_record_reader_config(what->reader), stream);
    return rs__outputs_close(what->outputs, error);
}

rs_status rs__export_csv(const rs__export *what, rs_error *error)
{
    rs__tables tables;
    rs_status status = rs__tables_of(what->reader, &tables, error);
    for (int t = 0; !status && t < tables.count; t++) {
        char name[RS__TABLE_NAME + 8];
        FILE *stream;
        (void)snprintf(name, sizeof name, "%s.csv", tables.list[t].name);
        status = rs__outputs_open(what->outputs, name, &stream, error);
        status = status ? status : put_table(what->reader, &tables.list[t], stream, error);
        status = status ? status : rs__outputs_close(what->outputs, error);
    }
    rs__tables_free(&tables);
    return status ? status : put_config(what, error);
}

/* --- JSON --------------------------------------------------------------------------------------------------- */

/* Several numbers a row stand in a list of their own. */
static rs_status put_numbers(rs_json *json, const rs_record_reader *reader, const rs__source *source,
                             int64_t rows, rs_error *error)
{
    const int64_t fit = PIECE_NUMBERS / (source->width + 1), piece = fit > 0 ? fit : 1;
    double *values = rs_alloc_array((size_t)(piece * source->width) + 1, sizeof *values);
    rs_status status = values ? RS_OK : RS_FAIL(error, RS_MEMORY, "no memory for %s", source->path);
    for (int64_t first = 0; !status && first < rows; first += piece) {
        const int64_t now = rows - first < piece ? rows - first : piece;
        status = rs_record_reader_series(reader, source->path, first, now, source->width, values, error);
        for (int64_t i = 0; !status && i < now; i++) {
            if (source->width > 1 || source->names) {
                rs_json_open(json, NULL, '[');
            }
            for (int64_t c = 0; c < source->width; c++) {
                rs_json_real(json, NULL, values[i * source->width + c]);
            }
            if (source->width > 1 || source->names) {
                rs_json_close(json);
            }
        }
    }
    rs_free(values);
    return status;
}

static rs_status put_source(rs_json *json, const rs_record_reader *reader, const rs__source *source,
                            int64_t rows, const char *key, rs_error *error)
{
    rs_status status = RS_OK;
    rs_json_open(json, key, '[');
    if (!source->text) {
        status = put_numbers(json, reader, source, rows, error);
    }
    for (int64_t i = 0; !status && source->text && i < rows; i++) {
        char text[RS_NAME_MAX];
        status = rs_record_reader_name(reader, source->path, i, text, error);
        if (!status) {
            rs_json_text(json, NULL, text);
        }
    }
    rs_json_close(json);
    return status;
}

static rs_status put_object(rs_json *json, const rs_record_reader *reader, const rs__table *table,
                            rs_error *error)
{
    rs_status status = RS_OK;
    rs_json_open(json, table->name, '{');
    for (int s = 0; !status && s < table->count; s++) {
        const rs__source *source = &table->sources[s];
        const bool wide = table->wide && s > 0;
        if (wide) {
            rs_json_open(json, "columns", '[');
            for (int64_t c = 0; c < source->width; c++) {
                char name[RS__TABLE_NAME + 24];
                rs__source_column(source, c, name, sizeof name);
                rs_json_text(json, NULL, name);
            }
            rs_json_close(json);
        }
        status = put_source(json, reader, source, table->rows, wide ? "values" : source->name, error);
    }
    rs_json_close(json);
    return status;
}

rs_status rs__export_json(const rs__export *what, rs_error *error)
{
    rs__tables tables;
    FILE *stream;
    rs_status status = rs__tables_of(what->reader, &tables, error);
    status = status ? status : rs__outputs_open(what->outputs, "record.json", &stream, error);
    if (!status) {
        rs_json json = rs_json_begin(stream);
        rs_json_open(&json, NULL, '{');
        rs_json_text(&json, "record", rs_record_reader_path(what->reader));
        rs_json_text(&json, "config", rs_record_reader_config(what->reader));
        for (int t = 0; !status && t < tables.count; t++) {
            status = put_object(&json, what->reader, &tables.list[t], error);
        }
        rs_json_close(&json);
        status = status ? status : rs__outputs_close(what->outputs, error);
    }
    rs__tables_free(&tables);
    return status;
}
