/* rs/check.h: operators against the double-precision reference and finite differences, on this machine. */
#ifndef RS_CHECK_H
#define RS_CHECK_H

/* The command `check [--device D] [--threads N] [--filter TEXT] [--verbose]`: every case of the operator
 * table, printed as a table of errors and tolerances; exit status of the program: 0 all within, 1 otherwise.
 */
int rs_command_check(int argc, char **argv);

#endif
