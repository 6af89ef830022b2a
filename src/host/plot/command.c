/* command.c: `plot`: the command line, and what it is told when something is wrong. */
#include <stdio.h>

#include "options.h"
#include "rs/host.h"
#include "rs/plot.h"

int rs_command_plot(int argc, char **argv)
{
    rs__command command = {0};
    rs_error error = {0};
    command.inputs = rs_alloc_array((size_t)argc, sizeof *command.inputs);
    rs_status status = command.inputs ? rs__command_parse(&command, argc, argv, &error)
                                      : RS_FAIL(&error, RS_MEMORY, "no memory for the command line");
    if (!status && command.help) {
        rs__command_help(stdout);
    } else if (!status) {
        status = rs_plot_save(&command.request, command.out, &error);
        if (!status) {
            (void)printf("%s\n", command.out ? command.out : command.request.options.script);
        }
    }
    if (status) {
        (void)fprintf(stderr, "resnet_study plot: %s\n", error.text);
    }
    rs_free(command.inputs);
    return rs_status_exit_code(status);
}
