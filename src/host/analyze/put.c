/* put.c: arrays of rank 1 and 2 in one line each; see analysis.h. */
#include "analysis.h"

rs_status rs__put_list(rs_result_file *file, const char *path, const char *what, const char *unit,
                       const char *axis, int64_t count, const double *values, rs_error *error)
{
    const rs_result_array array = {
        .path = path, .what = what, .unit = unit, .rank = 1, .dim = {count}, .axis = {axis}};
    return rs_result_reals(file, &array, values, error);
}

rs_status rs__put_integers(rs_result_file *file, const char *path, const char *what, const char *axis,
                           int64_t count, const int64_t *values, rs_error *error)
{
    const rs_result_array array = {
        .path = path, .what = what, .unit = "1", .rank = 1, .dim = {count}, .axis = {axis}};
    return rs_result_integers(file, &array, values, error);
}
