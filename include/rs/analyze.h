/* rs/analyze.h: what is computed from finished runs: components of weights, lines between states, distances, second
 * derivatives, sensitivity. Results go to a file of their own (rs/result_file.h) and as a short table to stdout. */
#ifndef RS_ANALYZE_H
#define RS_ANALYZE_H

/* The command `analyze KIND RUN.h5[@SNAPSHOT]... [OPTIONS]`; argv[0] is "analyze". Returns the exit status of the program. */
int rs_command_analyze(int argc, char **argv);

#endif
