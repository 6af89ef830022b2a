/* commands.h: the program's commands. Each takes its own argv (argv[0]: its name) and returns an exit status.
 */
#ifndef RS_CLI_COMMANDS_H
#define RS_CLI_COMMANDS_H

int rs_command_train(int argc, char **argv);   /* no command word: train one network and record it */
int rs_command_run(int argc, char **argv);     /* run STUDY.yaml */
int rs_command_devices(int argc, char **argv); /* devices */
int rs_command_version(int argc, char **argv); /* --version */
/* data: rs/dataset.h   check: rs/check.h   verify: rs/recorder.h   info, export, compare: rs/inspect.h
 * networks: rs/network.h   analyze: rs/analyze.h   plot: rs/plot.h   report: rs/report.h */

#endif
