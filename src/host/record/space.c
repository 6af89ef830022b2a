/* space.c: room on the disk, asked for before anything is written that needs it. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "recorder_state.h"
#include "rs/host.h"
#include "rs/text.h"

rs_status rs_space_check(const char *path, const char *directory, uint64_t bytes, rs_error *error)
{
    uint64_t available;
    char needed[32], there[32];
    if (rs_files()->free_bytes(directory, &available) != 0) {
        rs_log(RS_LOG_DEBUG, "free space of %s is unknown: %s", directory, strerror(errno));
        return RS_OK;
    }
    if (available >= bytes) {
        return RS_OK;
    }
    rs_text_bytes(bytes, needed, sizeof needed);
    rs_text_bytes(available, there, sizeof there);
    return RS_FAIL(
        error, RS_IO,
        "%s: the disk has %s free, %s are needed (%" PRIu64
        " bytes missing); make room, choose another --out, or record less with --snapshots or --record",
        path, there, needed, bytes - available);
}
