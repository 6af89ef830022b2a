/* command.c: the command `check`; see rs/check.h. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "report.h"
#include "rs/check.h"
#include "rs/text.h"

static const char usage[] =
    "usage: resnet_study check [--device D] [--threads N] [--filter TEXT] [--verbose]\n"
    "\n"
    "Compares every operator on this machine: the reference backend in double with finite differences, the\n"
    "reference in float and the device with the reference in double, and the device with itself, bit by "
    "bit,\n"
    "--memory lean with fast, too; then the update rules. A row shows the worst relative error of a case and "
    "what is allowed.\n"
    "\n"
    "  --device D     auto, cpu, ref, cuda or cuda:N (default auto)\n"
    "  --threads N    threads to use (default: one per core)\n"
    "  --filter TEXT  only cases whose name contains TEXT; where none has, those with that operator\n"
    "  --verbose      every single comparison\n"
    "\n"
    "Examples:\n"
    "  resnet_study check\n"
    "      everything, on the device that a run would take\n"
    "  resnet_study check --device cuda:1 --filter conv --verbose\n"
    "      the convolutions on the second GPU, one by one\n"
    "\n"
    "Exit status: 0 all within their tolerances, 1 otherwise, 2 bad usage.\n";

typedef struct arguments {
    const char *device, *filter;
    int threads;
    bool verbose, help;
} arguments;

static const struct option options[] = {
    {"device", required_argument, NULL, 'd'}, {"threads", required_argument, NULL, 't'},
    {"filter", required_argument, NULL, 'f'}, {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},         {0}};

static rs_status unknown_option(const char *text, rs_error *error)
{
    const char *names[sizeof options / sizeof options[0]];
    int count = 0;
    for (; options[count].name; count++) {
        names[count] = options[count].name;
        if (strcmp(text + strspn(text, "-"), options[count].name) == 0) {
            return RS_FAIL(error, RS_USAGE, "%s needs a value; see resnet_study check --help", text);
        }
    }
    const char *nearest = rs_text_nearest(text + strspn(text, "-"), names, count);
    return RS_FAIL(error, RS_USAGE, "check has no option \"%s\"%s%s; see resnet_study check --help", text,
                   nearest ? "; nearest --" : "", nearest ? nearest : "");
}

static rs_status parse(int argc, char **argv, arguments *parsed, rs_error *error)
{
    int64_t threads = 0;
    *parsed = (arguments){.device = "auto"};
    optind = 0; /* getopt starts afresh */
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "+h", options, NULL)) != -1;) {
        switch (option) {
        case 'd':
            parsed->device = optarg;
            break;
        case 't':
            if (!rs_text_int(optarg, &threads) || threads < 0 || threads > 4096) {
                return RS_FAIL(error, RS_USAGE, "--threads %s: must be 0 (one per core) to 4096", optarg);
            }
            parsed->threads = (int)threads;
            break;
        case 'f':
            parsed->filter = optarg;
            break;
        case 'v':
            parsed->verbose = true;
            break;
        case 'h':
            parsed->help = true;
            break;
        default:
            return unknown_option(argv[optind - 1], error);
        }
    }
    if (optind < argc) {
        return RS_FAIL(error, RS_USAGE, "check takes no \"%s\"; see resnet_study check --help", argv[optind]);
    }
    return RS_OK;
}

static rs_status run(const arguments *parsed, const rs_check_machine *machine, int *failed, rs_error *error)
{
    rs_check_report report = {.stream = stdout, .device = parsed->device, .verbose = parsed->verbose};
    rs_device_info info;
    char threads[32];
    int matched;
    machine->backend->info(machine->device, &info);
    rs_text_threads(info.threads, threads, sizeof threads);
    (void)printf("%s: %s, %s%s%s\n", machine->backend->name, info.name, info.libraries, *threads ? ", " : "",
                 threads);
    rs_check_report_begin(&report);
    RS_TRY(rs_check_run_all(machine, parsed->filter, &report, &matched, error));
    if (matched == 0) {
        return RS_FAIL(error, RS_USAGE,
                       "--filter %s: no case has that in its name, and there is no such operator; without it "
                       "all are listed",
                       parsed->filter);
    }
    *failed = rs_check_report_end(&report);
    return RS_OK;
}

static rs_status check(const arguments *parsed, int *failed, rs_error *error)
{
    rs_check_machine machine = {.reference = rs_ref_backend()};
    int index;
    RS_TRY(rs_backend_select(parsed->device, &machine.backend, &index, error));
    RS_TRY(machine.reference->open(rs_services(), 0, parsed->threads, &machine.reference_device, error));
    rs_status status = machine.backend->open(rs_services(), index, parsed->threads, &machine.device, error);
    status = status ? status : run(parsed, &machine, failed, error);
    machine.backend->close(machine.device);
    machine.reference->close(machine.reference_device);
    return status;
}

int rs_command_check(int argc, char **argv)
{
    arguments parsed;
    rs_error error;
    int failed = 1;
    rs_status status = parse(argc, argv, &parsed, &error);
    if (!status && parsed.help) {
        (void)fputs(usage, stdout);
        return 0;
    }
    status = status ? status : check(&parsed, &failed, &error);
    if (status) {
        rs_log(RS_LOG_ERROR, "%s", error.text);
        return rs_status_exit_code(status);
    }
    return failed;
}
