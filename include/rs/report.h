/* rs/report.h: the command `report INPUT... -o FILE.html`: one page about a run, several or a study; src/host/report. */
#ifndef RS_REPORT_H
#define RS_REPORT_H

/* argv[0] is "report". Returns the exit status of the program. */
int rs_command_report(int argc, char **argv);

#endif
