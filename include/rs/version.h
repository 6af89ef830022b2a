/* rs/version.h: what this build is. */
#ifndef RS_VERSION_H
#define RS_VERSION_H

const char *rs_version(void); /* "0.1.0" */
const char *
rs_commit(void); /* abbreviated commit, "-dirty" when the tree had changes, "unknown" outside git */
const char *rs_build_flags(void); /* compiler and its version, build type */

#endif
