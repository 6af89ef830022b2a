/* module.c: backends that are shared objects of their own; see rs/backend.h. */
#include <dlfcn.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rs/backend.h"

enum { PATH_BYTES = 4096, FOLDERS = 3 };

/* Folder of the running program, without a slash at its end; "." where the system does not say. */
static void program_folder(char folder[PATH_BYTES])
{
    char path[PATH_BYTES];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    (void)snprintf(folder, PATH_BYTES, "%s", length > 0 ? dirname(path) : ".");
}

/* The first place where the file is: $RS_MODULE_DIR, beside the program, ../lib/resnet_study. Without any, beside the
 * program. */
static void find_module(const char *name, char path[PATH_BYTES])
{
    char program[PATH_BYTES / 2], folders[FOLDERS][PATH_BYTES / 2 + 32];
    char whole[PATH_BYTES];
    const char *given = getenv("RS_MODULE_DIR");
    program_folder(whole);
    (void)snprintf(program, sizeof program, "%.*s", (int)sizeof program - 1, whole);
    (void)snprintf(folders[0], sizeof folders[0], "%s", program);
    (void)snprintf(folders[1], sizeof folders[1], "%s/../lib/resnet_study", program);
    (void)snprintf(folders[2], sizeof folders[2], "%.*s", PATH_BYTES / 2, given ? given : "");
    static const int order[FOLDERS] = {2, 0, 1};
    for (int i = 0; i < FOLDERS; i++) {
        const char *folder = folders[order[i]];
        (void)snprintf(path, PATH_BYTES, "%s/resnet_study_%s.so", folder, name);
        if (*folder && access(path, F_OK) == 0) {
            return;
        }
    }
    (void)snprintf(path, PATH_BYTES, "%s/resnet_study_%s.so", program, name);
}

static rs_status check_table(const rs_backend *table, const char *path, rs_error *error)
{
    if (table->abi != RS_BACKEND_ABI || table->size != sizeof *table) {
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "%s is of another version (interface %u of %u bytes, this program has %u of %zu)",
                       path, table->abi, table->size, RS_BACKEND_ABI, sizeof *table);
    }
    return RS_OK;
}

/* A build without it says why, in the words of the configuration. */
static rs_status fail_missing(const char *name, const char *path, rs_error *error)
{
    const char *why = strcmp(name, "cuda") == 0 ? rs_without_cuda() : "";
    if (*why) {
        return RS_FAIL(error, RS_UNSUPPORTED,
                       "this build has no %s module: %s; when that is mended build again, as the README says "
                       "under On a GPU",
                       name, why);
    }
    return RS_FAIL(error, RS_UNSUPPORTED,
                   "there is no %s: the %s module belongs beside the program, or into a folder that "
                   "RS_MODULE_DIR names",
                   path, name);
}

rs_status rs_module_load(const char *name, const rs_backend **backend, rs_error *error)
{
    char path[PATH_BYTES];
    find_module(name, path);
    if (access(path, F_OK) != 0) {
        return fail_missing(name, path, error);
    }
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        return RS_FAIL(error, RS_UNSUPPORTED, "loading it failed: %s", dlerror());
    }
    rs_module_entry entry;
    *(void **)(void *)&entry = dlsym(library, RS_MODULE_ENTRY); /* POSIX's own way to get a function */
    if (!entry) {
        return RS_FAIL(error, RS_UNSUPPORTED, "%s is no module of this program: it has no %s", path,
                       RS_MODULE_ENTRY);
    }
    const rs_backend *table = entry(rs_services(), error);
    if (!table) {
        return error->status;
    }
    RS_TRY(check_table(table, path, error));
    *backend = table;
    return RS_OK;
}
