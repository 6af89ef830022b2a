/* status.c: error values; see rs/status.h. */
#include "rs/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

rs_status rs_error_set(rs_error *error, rs_status status, const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    error->status = status;
    error->file = file;
    error->line = line;
    (void)vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return status;
}

rs_status rs_error_prefix(rs_error *error, const char *format, ...)
{
    char text[sizeof error->text];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < sizeof text) {
        (void)snprintf(text + length, sizeof text - (size_t)length, ": %s", error->text);
    }
    memcpy(error->text, text, sizeof text);
    return error->status;
}

const char *rs_status_name(rs_status status)
{
    static const char *const names[] = {
#define RS_STATUS_TEXT(name, exit_code, meaning) #name,
        RS_STATUS_MAP(RS_STATUS_TEXT)
#undef RS_STATUS_TEXT
    };
    return names[status];
}

const char *rs_status_meaning(rs_status status)
{
    static const char *const meanings[] = {
#define RS_STATUS_TEXT(name, exit_code, meaning) meaning,
        RS_STATUS_MAP(RS_STATUS_TEXT)
#undef RS_STATUS_TEXT
    };
    return meanings[status];
}

int rs_status_exit_code(rs_status status)
{
    static const int codes[] = {
#define RS_STATUS_CODE(name, exit_code, meaning) exit_code,
        RS_STATUS_MAP(RS_STATUS_CODE)
#undef RS_STATUS_CODE
    };
    return codes[status];
}

_Noreturn void rs_assert_failed(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "resnet_study: internal error at %s:%d: %s is false; please report this\n", file,
                  line, condition);
    abort();
}
