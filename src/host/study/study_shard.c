/* study_shard.c: one part of a study, for a task of a job array. */
#include "study.h"

/* The run that a run depends on in the end; itself where it depends on none. */
static int root_of(const rs_study_run *runs, int run)
{
    while (runs[run].from >= 0) {
        run = runs[run].from;
    }
    return run;
}

void rs_study_take_shard(rs_study_run *runs, int *count, int part, int parts)
{
    int kept = 0, roots = 0, before = *count;
    /* Numbers the roots, and every run by its root, before anything moves: `chain` holds the part. */
    for (int i = 0; i < before; i++) {
        runs[i].chain = runs[i].from < 0 ? roots++ % parts : runs[root_of(runs, i)].chain;
    }
    for (int i = 0; i < before; i++) {
        runs[i].place = runs[i].chain == part ? kept++ : -1;
    }
    for (int i = 0; i < before; i++) {
        runs[i].from = runs[i].from >= 0 ? runs[runs[i].from].place : -1;
    }
    for (int i = 0; i < before; i++) {
        if (runs[i].place >= 0) {
            runs[runs[i].place] = runs[i];
        }
    }
    *count = kept;
}
