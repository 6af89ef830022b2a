/* replace.c: what --overwrite may replace: files of this program. See rs/recorder.h. */
#include <string.h>
#include <sys/stat.h>

#include "h5.h"
#include "rs/host.h"
#include "rs/recorder.h"

/* Whether an HDF5 file says that it is of another program. One that does not open may be what a crash left of ours. */
static rs_status is_foreign(const char *path, bool *foreign, rs_error *error)
{
    static const char ours[] = "resnet_study ";
    hid_t file = H5I_INVALID_HID;
    char *format = NULL;
    rs_error why = {0};
    rs_status status = rs_h5_open(path, RS_H5_READ, &file, &why);
    *foreign = false;
    if (status == RS_OK) {
        status = rs_h5_get_text(file, "format", &format, &why);
        *foreign = status != RS_MEMORY && (status != RS_OK || strncmp(format, ours, sizeof ours - 1) != 0);
        rs_free(format);
        rs_h5_close(file);
    }
    return status == RS_MEMORY ? RS_FAIL(error, RS_MEMORY, "%s: %s", path, why.text) : RS_OK;
}

rs_status rs_check_replaceable(const char *path, rs_error *error)
{
    struct stat about;
    rs_h5_mark mark = {0};
    rs_error why = {0};
    bool foreign = true;
    if (stat(path, &about) != 0 || (S_ISREG(about.st_mode) && about.st_size == 0)) {
        return RS_OK; /* nothing there to lose */
    }
    const rs_status read = S_ISREG(about.st_mode) ? rs_h5_read_mark(path, &mark, &why) : RS_DATA;
    if (read == RS_OK && mark.hdf5) {
        RS_TRY(is_foreign(path, &foreign, error));
    }
    return foreign
               ? RS_FAIL(
                     error, RS_USAGE,
                     "%s is no record or result of this program: --overwrite leaves it alone; choose another "
                     "path, or remove it yourself",
                     path)
               : RS_OK;
}
