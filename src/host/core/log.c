/* log.c: the one log sink; see rs/host.h. */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "rs/host.h"

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static rs_log_level log_level = RS_LOG_INFO;
static void (*log_sink)(void *context, rs_log_level level, const char *text);
static void *log_context;

const char *rs_log_mark(rs_log_level level)
{
    static const char *const marks[] = {
        "resnet_study: error: ", "resnet_study: warning: ", "resnet_study: ", "resnet_study: debug: "};
    return marks[level];
}

void rs_log_set_level(rs_log_level level)
{
    pthread_mutex_lock(&log_mutex);
    log_level = level;
    pthread_mutex_unlock(&log_mutex);
}

void rs_log_set_sink(void (*sink)(void *context, rs_log_level level, const char *text), void *context)
{
    pthread_mutex_lock(&log_mutex);
    log_sink = sink;
    log_context = context;
    pthread_mutex_unlock(&log_mutex);
}

void rs_log(rs_log_level level, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&log_mutex);
    if (level <= log_level) {
        if (log_sink) {
            log_sink(log_context, level, text);
        } else {
            (void)fprintf(stderr, "%s%s\n", rs_log_mark(level), text);
        }
    }
    pthread_mutex_unlock(&log_mutex);
}
