/* read_compare.c: see read_record.h. */
#include <string.h>

#include "compare.h"
#include "fuzz.h"
#include "read_record.h"
#include "rs/host.h"
#include "tables.h"

static void list_tables(const rs_record_reader *reader)
{
    rs__tables tables;
    rs_metric_list metrics;
    rs_error error;
    char name[RS__TABLE_NAME];
    rs_fuzz_settle(rs__tables_of(reader, &tables, &error), &error);
    for (int t = 0; t < tables.count; t++) {
        for (int s = 0; s < tables.list[t].count; s++) {
            const rs__source *source = &tables.list[t].sources[s];
            if (source->width > 0) {
                rs__source_column(source, source->width - 1, name, sizeof name);
            }
        }
    }
    rs__tables_free(&tables);
    rs_fuzz_settle(rs__metrics_of(reader, &metrics, &error), &error);
}

static void compare(rs__pair *pair)
{
    rs__comparison found = {.count = 0};
    rs_error error;
    FILE *stream = rs_fuzz_nowhere();
    rs_fuzz_settle(rs__compare_settings(pair, stream, &error), &error);
    rs_fuzz_settle(rs__compare_results(pair, stream, &error), &error);
    rs_status status = rs__compare_weights(pair, &found, &error);
    rs_fuzz_settle(status, &error);
    if (!status) {
        rs__comparison_print(&found, &pair->metrics, stream);
        rs__comparison_csv(&found, &pair->metrics, stream);
    }
    rs__comparison_free(&found);
}

void rs_fuzz_compare(const char *a, const char *b)
{
    const char *const names[2] = {a, b};
    rs__pair pair = {.metrics.count = 0};
    rs_error error;
    rs_status status = rs_metric_list_parse("minkowski:1,cosine", &pair.metrics, &error);
    for (int side = 0; side < 2 && !status; side++) {
        status = rs__place_open(names[side], &pair.place[side], &error);
        rs_fuzz_settle(status, &error);
        if (!status) {
            list_tables(pair.place[side].reader);
        }
    }
    if (!status) {
        compare(&pair);
    }
    rs__place_close(&pair.place[0]);
    rs__place_close(&pair.place[1]);
}
