/* figures.c: what `plot` makes of such a record, up to gnuplot's script: alone, or beside a whole one. Which figure, the input's
 * bytes say. */
#include "bases.h"
#include "fuzz.h"
#include "rs/plot.h"

static int figure_count(void)
{
    int count = 0;
    while (rs_plot_figure_at(count)) {
        count++;
    }
    return count;
}

static bool draws(int figure, const char *const *paths, int count)
{
    rs_error error;
    const rs_plot_request request = {.figure = rs_plot_figure_at(figure)->name,
                                     .input_count = count,
                                     .inputs = paths,
                                     .options.individual = true};
    const rs_status status = rs_plot_save(&request, NULL, &error);
    rs_fuzz_settle(status, &error);
    return status == RS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const char *const paths[] = {rs_fuzz_edited(data, size), rs_fuzz_unedited()};
    const int figures = figure_count(), count = data[0] & 0x80 ? 1 : 2;
    unsigned sum = 0;
    bool drawn = false;
    for (size_t i = 0; i < size; i++) {
        sum = 31 * sum + data[i];
    }
    for (int i = 0; i < (rs_fuzz_thorough ? figures : 1); i++) {
        drawn = draws((int)((sum + (unsigned)i) % (unsigned)figures), paths, count) || drawn;
    }
    if (drawn) {
        rs_fuzz_accept();
    }
    return 0;
}
