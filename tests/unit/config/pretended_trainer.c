/* pretended_trainer.c: see pretended_trainer.h. */
#include "pretended_trainer.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rs/config.h"
#include "rs/host.h"
#include "rs/recorder.h"

static volatile sig_atomic_t told;

static void note(int number)
{
    told = number;
}

static void write_file(const char *path, const char *first, const char *second)
{
    FILE *file = fopen(path, "w");
    RS_ASSERT(file && fprintf(file, "%s\n%s", first, second) > 0 && fclose(file) == 0);
}

static void write_record(const rs_config *config, rs_run_state state, int64_t epochs)
{
    char head[64];
    char *yaml = NULL;
    rs_error error;
    RS_ASSERT(rs_config_yaml(config, &yaml, &error) == RS_OK);
    (void)snprintf(head, sizeof head, "%s %" PRId64, rs_run_state_name(state), epochs);
    write_file(config->out, head, yaml);
    rs_free(yaml);
}

static void note_arguments(const rs_config *config, int argc, char **argv)
{
    char path[RS_TEXT_MAX + 8], line[4096] = "";
    for (int i = 1; i < argc; i++) {
        size_t length = strlen(line);
        (void)snprintf(line + length, sizeof line - length, "%s ", argv[i]);
    }
    (void)snprintf(path, sizeof path, "%s.args", config->out);
    write_file(path, line, isatty(STDERR_FILENO) ? "terminal" : "no terminal");
}

/* As a trainer does: the first signal of a kind ends the run after its step, the second has its usual effect. */
static int train_until_told(const rs_config *config)
{
    char path[RS_TEXT_MAX + 8];
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)snprintf(path, sizeof path, "%s.started", config->out);
    write_file(path, "started", "");
    for (int i = 0; i < 3000 && !told; i++) {
        (void)usleep(10000);
    }
    (void)usleep(100000); /* a second signal now would kill it */
    write_record(config, RS_RUN_INTERRUPTED, 2);
    return 128 + (int)told;
}

int pretend_to_train(int argc, char **argv)
{
    rs_config config;
    rs_error error = {0};
    bool help;
    rs_config_default(&config);
    if (rs_config_parse(&config, 1, argc, argv, &help, &error) || rs_config_validate(&config, &error)) {
        rs_log(RS_LOG_ERROR, "%s", error.text);
        return 2;
    }
    note_arguments(&config, argc, argv);
    (void)fprintf(stderr, "\repoch 1/5  1/9\033[K");
    switch (config.seed) {
    case 13:
        (void)fprintf(stderr, "\r\033[Kresnet_study: error: an unlucky number\n");
        return 3;
    case 14:
        write_record(&config, RS_RUN_DIVERGED, 1);
        (void)fprintf(stderr, "\nresnet_study: error: loss is nan");
        return 4;
    case 15:
        (void)raise(SIGKILL);
        return 0;
    case 16: /* fails at its first try */
        if (!config.resume) {
            write_record(&config, RS_RUN_INTERRUPTED, 1);
            (void)fprintf(stderr, "\r\033[Kresnet_study: error: a network file system\n");
            return 1;
        }
        break;
    case 17: /* fails always */
        (void)fprintf(stderr, "\r\033[Kresnet_study: error: no luck at all\n");
        return 1;
    case 20:
        if (!config.resume) {
            return train_until_told(&config);
        }
        break;
    default:
        break;
    }
    write_record(&config, RS_RUN_DONE, config.epochs);
    (void)fprintf(stderr, "\r\033[K");
    return 0;
}
