/* devices.c: the commands `devices` and `--version`. */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "rs/backend.h"
#include "rs/version.h"

int rs_command_devices(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        (void)puts("usage: resnet_study devices\n"
                   "\n"
                   "Lists the backends of this build with device, threads, memory and libraries,\n"
                   "or one line why a backend cannot be used here.\n"
                   "\n"
                   "Examples:\n"
                   "  resnet_study devices\n"
                   "      what a run could use here; resnet_study --device cuda:0 then takes the first GPU");
        return 0;
    }
    if (argc > 1) {
        (void)fprintf(stderr, "resnet_study: devices takes no \"%s\"; see resnet_study devices --help\n",
                      argv[1]);
        return 2;
    }
    return rs_backend_print_devices(stdout);
}

int rs_command_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)printf("resnet_study %s (%s), %s\n", rs_version(), rs_commit(), rs_build_flags());
    return rs_backend_print_devices(stdout);
}
