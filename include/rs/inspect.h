/* rs/inspect.h: commands that look at finished and running records without training anything. Each takes its own argv
 * (argv[0]: its name), prints to the user and returns the program's exit status. */
#ifndef RS_INSPECT_H
#define RS_INSPECT_H

int rs_command_info(int argc, char **argv);    /* info FILE.h5, info --watch RUN.h5 */
int rs_command_export(int argc, char **argv);  /* export RUN.h5 -o DIR */
int rs_command_compare(int argc, char **argv); /* compare A.h5 B.h5 */

#endif
