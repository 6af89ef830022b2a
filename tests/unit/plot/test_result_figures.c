/* test_result_figures.c: the charts of figures that are drawn from files of results, number by number, without gnuplot. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "figure.h"
#include "rs/host.h"
#include "rs/result_file.h"

static rs_error error;
static const double nan_ = (double)NAN;

/* --- results, as analyze writes them ---------------------------------------------------------------------------- */

static rs_result_file *begin(const char *path, const char *kind, int runs, const char *option,
                             const char *const *values)
{
    static const char *const paths[] = {"runs/a.h5", "runs/b.h5", "c.h5"};
    char *configs[3];
    rs_result_file *file = NULL;
    assert_int_equal(rs_result_create(path, kind, true, &file, &error), RS_OK);
    for (int i = 0; i < runs; i++) {
        rs_config *config = rs_alloc_zero(sizeof *config);
        rs_config_default(config);
        assert_int_equal(rs_config_set(config, option, values[i], "test", &error), RS_OK);
        assert_int_equal(rs_config_yaml(config, &configs[i], &error), RS_OK);
        rs_free(config);
    }
    const rs_result_array array = {"inputs/path", "w", "1", 1, {runs}, {"run"}};
    const rs_result_array yaml = {"inputs/config", "w", "1", 1, {runs}, {"run"}};
    assert_int_equal(rs_result_texts(file, &array, paths, &error), RS_OK);
    assert_int_equal(rs_result_texts(file, &yaml, (const char *const *)configs, &error), RS_OK);
    for (int i = 0; i < runs; i++) {
        rs_free(configs[i]);
    }
    return file;
}

static void put(rs_result_file *file, const char *path, int rank, int64_t rows, int64_t width,
                const double *values)
{
    const rs_result_array array = {path, "w", "1", rank, {rows, width, 1}, {"a", "b", "c"}};
    assert_int_equal(rs_result_reals(file, &array, values, &error), RS_OK);
}

static rs_status build(rs__build *figure, int count, const char *const *paths, rs__chart *chart)
{
    static const rs_plot_options options;
    rs__plot plot = {.options = &options};
    *chart = (rs__chart){0};
    assert_int_equal(rs__palettes_parse(NULL, &plot.palettes, &error), RS_OK);
    assert_int_equal(rs__inputs_open(count, paths, &plot.inputs, &error), RS_OK);
    rs_status status = figure(&plot, chart, &error);
    rs__inputs_close(&plot.inputs);
    for (int i = 0; i < count; i++) {
        assert_int_equal(unlink(paths[i]), 0);
    }
    return status;
}

/* The series of a panel with that label, or with any where it is NULL, of a mark. */
static const rs__series *find(const rs__chart *chart, int row, int column, rs__mark mark, const char *label)
{
    const rs__panel *panel = &chart->panels[row * chart->columns + column];
    for (int i = 0; i < panel->count; i++) {
        const rs__series *s = &panel->series[i];
        if (s->mark == mark && (!label || (s->label && strcmp(s->label, label) == 0))) {
            return s;
        }
    }
    fail_msg("no such series: %s", label ? label : "any");
    return NULL;
}

static void assert_numbers(const double *found, const double *wanted, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        if (!(isnan(found[i]) && isnan(wanted[i])) && !(fabs(found[i] - wanted[i]) <= 1e-12)) {
            fail_msg("number %d: %g instead of %g", (int)i, found[i], wanted[i]);
        }
    }
}

/* --- pca -------------------------------------------------------------------------------------------------------- */

static void tracks_are_told_apart(void **state)
{
    static const char *const seeds[] = {"1", "7"}, *const path = "pca.h5", *const tensor[] = {"fc.weight"};
    const double coordinates[] = {1, 2, 9, -1, -2, 9, 3, 4, 9, 5, 6, 9, -7, 8, 9};
    rs_result_file *file = begin(path, "pca", 2, "seed", seeds);
    rs__chart chart;
    (void)state;
    put(file, "component/ratio", 1, 3, 1, (const double[]){0.5, 0.25, 0.125});
    put(file, "point/run", 1, 5, 1, (const double[]){0, 1, 0, 1, 0});
    put(file, "point/epoch", 1, 5, 1, (const double[]){0, 0, 1, 1, 4});
    put(file, "point/step", 1, 5, 1, (const double[]){0, 0, 10, 10, 40});
    put(file, "point/off_plane", 1, 5, 1, (const double[]){0.5, 0.25, 1, 2, 3});
    put(file, "point/coordinate", 2, 5, 3, coordinates);
    const rs_result_array tensors = {"tensors", "w", "1", 1, {1}, {"tensor"}};
    assert_int_equal(rs_result_texts(file, &tensors, tensor, &error), RS_OK);
    assert_int_equal(rs_result_integer(file, "weights", 640, &error), RS_OK);
    assert_int_equal(rs_result_finish(file, &error), RS_OK);
    assert_int_equal(build(rs__build_pca, 1, &path, &chart), RS_OK);
    const rs__series *one = find(&chart, 0, 0, RS__LINE, "seed 1"),
                     *two = find(&chart, 0, 0, RS__LINE, "seed 7");
    assert_int_equal(one->count, 3);
    assert_int_equal(two->count, 2);
    assert_numbers(one->x, (const double[]){1, 3, -7}, 3);
    assert_numbers(one->y, (const double[]){2, 4, 8}, 3);
    assert_numbers(two->x, (const double[]){-1, 5}, 2);
    assert_int_not_equal(one->style.colour, two->style.colour);
    assert_numbers(find(&chart, 0, 1, RS__LINE, NULL)->x, (const double[]){0, 1, 4}, 3);
    assert_numbers(find(&chart, 0, 1, RS__LINE, NULL)->y, (const double[]){0.5, 1, 3}, 3);
    assert_non_null(strstr(chart.panels[0].x.label, "50.0%"));
    assert_non_null(strstr(chart.panels[0].y.label, "25.0%"));
    assert_string_equal(chart.panels[0].title, "fc.weight, 640 weights");
    rs__chart_clear(&chart);
}

/* --- interpolation ---------------------------------------------------------------------------------------------- */

static void put_line(const char *path, double shift, bool accuracy)
{
    static const char *const sizes[] = {"600", "200"};
    const double alpha[] = {0, 10, -0.5, 0.5, 1.5}, loss[] = {1, 100, 5, 3, 2};
    double moved[5], share[5];
    for (int i = 0; i < 5; i++) {
        moved[i] = loss[i] + shift;
        share[i] = accuracy ? loss[i] / 100.0 : nan_;
    }
    rs_result_file *file = begin(path, "interpolate", 2, "batch-size", sizes);
    put(file, "alpha", 1, 5, 1, alpha);
    put(file, "train/loss", 1, 5, 1, loss);
    put(file, "test/loss", 1, 5, 1, moved);
    put(file, "train/accuracy", 1, 5, 1, share);
    put(file, "test/accuracy", 1, 5, 1, share);
    assert_int_equal(rs_result_finish(file, &error), RS_OK);
}

static void points_are_sorted_and_averaged(void **state)
{
    static const char *const paths[] = {"line1.h5", "line2.h5"};
    rs__chart chart;
    (void)state;
    put_line(paths[0], 0.0, true);
    put_line(paths[1], 4.0, true);
    assert_int_equal(build(rs__build_interpolation, 2, paths, &chart), RS_OK);
    assert_true(chart.rows == 2 && chart.columns == 2);
    const rs__series *all = find(&chart, 0, 0, RS__LINE, "test"),
                     *near = find(&chart, 1, 0, RS__LINE, "test");
    assert_int_equal(all->count, 5);
    assert_numbers(all->x, (const double[]){-0.5, 0, 0.5, 1.5, 10}, 5);
    assert_numbers(all->y, (const double[]){7, 3, 5, 4, 102}, 5);
    assert_int_equal(near->count, 4);
    const rs__series *band = find(&chart, 0, 0, RS__BAND, NULL); /* of the training set: both are alike */
    assert_numbers(band->low, (const double[]){5, 1, 3, 2, 100}, 5);
    assert_non_null(strstr(chart.panels[2].x.label, "0: batch-size 600; 1: batch-size 200"));
    rs__chart_clear(&chart);
}

static void without_accuracy_there_is_one_column(void **state)
{
    static const char *const path = "line.h5";
    rs__chart chart;
    (void)state;
    put_line(path, 0.0, false);
    assert_int_equal(build(rs__build_interpolation, 1, &path, &chart), RS_OK);
    assert_int_equal(chart.columns, 1);
    rs__chart_clear(&chart);
}

static void other_points_are_refused(void **state)
{
    static const char *const paths[] = {"line1.h5", "line2.h5"}, *const sizes[] = {"1", "2"};
    rs__chart chart;
    (void)state;
    put_line(paths[0], 0.0, true);
    rs_result_file *file = begin(paths[1], "interpolate", 2, "batch-size", sizes);
    put(file, "alpha", 1, 5, 1, (const double[]){0, 10, -0.5, 0.5, 1.25});
    assert_int_equal(rs_result_finish(file, &error), RS_OK);
    assert_int_equal(build(rs__build_interpolation, 2, paths, &chart), RS_USAGE);
    assert_non_null(strstr(error.text, "other points"));
    rs__chart_clear(&chart);
}

/* --- hessian ---------------------------------------------------------------------------------------------------- */

static void put_hessian(const char *path, bool exact, int states)
{
    static const char *const seeds[] = {"1"};
    double loss[16], ratio[16], share[16];
    char name[64];
    rs_result_file *file = begin(path, "hessian", 1, "seed", seeds);
    for (int i = 0; i < states; i++) {
        loss[i] = pow(10.0, -i);
        ratio[i] = exact ? 0.5 + 0.01 * i : nan_;
        share[i] = exact ? 0.25 : nan_;
        (void)snprintf(name, sizeof name, exact ? "measured%d/eigenvalues" : "measured%d/smallest", i);
        put(file, name, 1, 4, 1, exact ? (const double[]){-1, 0, 0, 100} : (const double[]){-2, -1, 0, 1});
        (void)snprintf(name, sizeof name, "measured%d/largest", i);
        put(file, name, 1, 4, 1, (const double[]){9, 8, 7, 6});
    }
    put(file, "loss", 1, states, 1, loss);
    put(file, "minimal_ratio", 1, states, 1, ratio);
    put(file, "positive_eigenvalue_share", 1, states, 1, share);
    assert_int_equal(rs_result_finish(file, &error), RS_OK);
}

static double sum_of(const rs__series *s)
{
    double sum = 0.0;
    for (int64_t i = 0; i < s->count; i++) {
        sum += isfinite(s->y[i]) ? s->y[i] : 0.0;
    }
    return sum;
}

static void shares_of_eigenvalues_add_up(void **state)
{
    static const char *const path = "hessian.h5";
    rs__chart chart;
    (void)state;
    put_hessian(path, true, 1);
    assert_int_equal(build(rs__build_hessian, 1, &path, &chart), RS_OK);
    const rs__series *bars = find(&chart, 0, 0, RS__BARS, "loss 1");
    assert_true(fabs(sum_of(bars) - 1.0) < 1e-12);
    int filled = 0;
    for (int64_t i = 0; i < bars->count; i++) { /* both zeros in one bin, the others alone */
        filled += isfinite(bars->y[i]);
        assert_true(!isfinite(bars->y[i]) ||
                    fabs(bars->y[i] - (bars->x[i] * bars->x[i] < 0.1 ? 0.5 : 0.25)) < 1e-12);
    }
    assert_int_equal(filled, 3);
    const rs__axis *axis = &rs__chart_panel(&chart, 0, 0)->x;
    assert_true(axis->tick_count > 2);
    for (int i = 1; i < axis->tick_count; i++) {
        assert_true(axis->ticks[i].at > axis->ticks[i - 1].at);
    }
    rs__chart_clear(&chart);
}

static void many_states_become_their_mean(void **state)
{
    static const char *const path = "hessian.h5";
    rs__chart chart;
    (void)state;
    put_hessian(path, true, 12);
    assert_int_equal(build(rs__build_hessian, 1, &path, &chart), RS_OK);
    assert_true(fabs(sum_of(find(&chart, 0, 0, RS__BARS, "mean of 12 states")) - 1.0) < 1e-12);
    const rs__series *ratio = find(&chart, 0, 1, RS__POINTS, "minimal ratio");
    assert_int_equal(ratio->count, 12);
    assert_true(ratio->x[3] == 1e-3 && fabs(ratio->y[3] - 0.53) < 1e-12);
    rs__chart_clear(&chart);
}

static void ends_of_a_spectrum_ascend(void **state)
{
    static const char *const path = "hessian.h5";
    rs__chart chart;
    (void)state;
    put_hessian(path, false, 2);
    assert_int_equal(build(rs__build_hessian, 1, &path, &chart), RS_OK);
    assert_int_equal(chart.columns, 1);
    const rs__series *ends = find(&chart, 0, 0, RS__POINTS, "loss 0.1");
    assert_numbers(ends->y, (const double[]){-2, -1, 0, 1, 6, 7, 8, 9}, 8);
    rs__chart_clear(&chart);
}

/* --- fit -------------------------------------------------------------------------------------------------------- */

static void curves_are_sorted_by_x(void **state)
{
    static const char *const path = "fit.h5", *const networks[] = {"mlp-fit-8x7"};
    rs_result_file *file = begin(path, "predict", 1, "network", networks);
    rs__chart chart;
    (void)state;
    put(file, "run0/input", 1, 3, 1, (const double[]){5, 1, 3});
    put(file, "run0/target", 2, 3, 1, (const double[]){50, 10, 30});
    put(file, "run0/epoch", 1, 2, 1, (const double[]){0, 8});
    put(file, "run0/output", 3, 2, 3, (const double[]){51, 12, 33, 50, 10, 31});
    assert_int_equal(rs_result_finish(file, &error), RS_OK);
    assert_int_equal(build(rs__build_fit, 1, &path, &chart), RS_OK);
    assert_string_equal(chart.panels[0].title, "mlp-fit-8x7");
    assert_numbers(find(&chart, 0, 0, RS__LINE, "function")->y, (const double[]){10, 30, 50}, 3);
    assert_numbers(chart.panels[0].series[0].y, (const double[]){12, 33, 51}, 3);
    assert_numbers(chart.panels[0].series[1].y, (const double[]){10, 31, 50}, 3);
    assert_numbers(chart.panels[1].series[0].y, (const double[]){2, 3, 1}, 3);
    assert_numbers(chart.panels[1].series[1].y, (const double[]){0, 1, 0}, 3);
    assert_true(chart.bar.shown && chart.bar.high == 9.0);
    assert_true(chart.panels[0].series[0].style.level == 0.0 && chart.panels[0].series[1].style.level == 1.0);
    rs__chart_clear(&chart);
}

static void scores_of_classes_are_no_function(void **state)
{
    static const char *const path = "fit.h5", *const networks[] = {"cnn-b"};
    rs__chart chart;
    (void)state;
    assert_int_equal(rs_result_finish(begin(path, "predict", 1, "network", networks), &error), RS_OK);
    assert_int_equal(build(rs__build_fit, 1, &path, &chart), RS_USAGE);
    assert_non_null(strstr(error.text, "--dataset function"));
    rs__chart_clear(&chart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tracks_are_told_apart),
        cmocka_unit_test(points_are_sorted_and_averaged),
        cmocka_unit_test(without_accuracy_there_is_one_column),
        cmocka_unit_test(other_points_are_refused),
        cmocka_unit_test(shares_of_eigenvalues_add_up),
        cmocka_unit_test(many_states_become_their_mean),
        cmocka_unit_test(ends_of_a_spectrum_ascend),
        cmocka_unit_test(curves_are_sorted_by_x),
        cmocka_unit_test(scores_of_classes_are_no_function),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
