/* pretended_trainer.h: a trainer without training, for the tests of the study runner. */
#ifndef RS_TESTS_PRETENDED_TRAINER_H
#define RS_TESTS_PRETENDED_TRAINER_H

/* Plays `resnet_study OPTIONS`: notes its command line in OUT.args and whether it speaks to a terminal, and
 * "records" its state and configuration in OUT as text, which the pretended rs_record_summarize reads. What
 * happens is chosen by the seed:
 *   13  fails with exit status 3 and a message      14  diverges: exit status 4, state diverged
 *   15  is killed by SIGKILL, leaving nothing       20  trains until it is told to end (or resumes to its end)
 *   else it is done at once */
int pretend_to_train(int argc, char **argv);

#endif
