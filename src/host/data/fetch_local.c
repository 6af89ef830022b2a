/* fetch_local.c: a set from a folder or an archive that the user has; see fetch_internal.h. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fetch_internal.h"
#include "unpack.h"

bool rs__is_archive(const rs__set *set)
{
    return rs__file_index(set, set->downloads[0].file) < 0;
}

/* A folder named by the user is taken at its word, except where the set's list leaves "" to rs__locate, which knows
 * when files of that name belong to another set. */
static bool locate_around(const rs__set *set, const char *folder, rs__location *location,
                          const char **missing)
{
    bool bare = false;
    for (int i = 0; set->folders[i]; i++) {
        bare = bare || !*set->folders[i];
    }
    return rs__locate(set, folder, location) ||
           (!rs__locate_in(set, folder, location, missing) ? false : !bare);
}

static rs_status copy_located(rs__stage *stage, const rs__location *found, rs_error *error)
{
    char path[PATH_MAX];
    for (int i = 0; i < stage->set->file_count; i++) {
        RS_TRY(rs__path_join(path, sizeof path, found->folder, found->file[i], error));
        RS_TRY(rs__stage_copy(stage, path, found->file[i], stage->set->file_limit, error));
    }
    return RS_OK;
}

static rs_status take_folder(rs__stage *stage, const char *folder, rs_error *error)
{
    const rs__set *set = stage->set;
    const char *missing = set->files[0];
    char archive[PATH_MAX];
    struct stat status;
    rs__location found;
    if (locate_around(set, folder, &found, &missing)) {
        RS_TRY(rs__inspect(set, &found, error)); /* names the user's files, not our copies */
        return copy_located(stage, &found, error);
    }
    RS_TRY(rs__path_join(archive, sizeof archive, folder, set->downloads[0].file, error));
    if (rs__is_archive(set) && stat(archive, &status) == 0 && S_ISREG(status.st_mode)) {
        return rs__unpack(stage, archive, error);
    }
    return RS_FAIL(error, RS_DATA, "%s: no %s in it: %s is missing%s%s", folder, set->name, missing,
                   rs__is_archive(set) ? ", and there is no " : "",
                   rs__is_archive(set) ? set->downloads[0].file : "");
}

rs_status rs__fetch_local(rs__stage *stage, const char *path, rs_error *error)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return RS_FAIL(error, RS_DATA, "--from %s: %s; give a folder, an archive or a URL", path,
                       strerror(errno));
    }
    if (S_ISDIR(status.st_mode)) {
        return take_folder(stage, path, error);
    }
    if (!S_ISREG(status.st_mode)) {
        return RS_FAIL(error, RS_DATA, "--from %s: neither a folder nor a file", path);
    }
    return rs__unpack(stage, path, error);
}
