#!/bin/sh
# Makes the manual page from the program's own --help: man_page.sh PROGRAM > resnet_study.1
#
# Lines of --help without a blank in front that end in ":" are sections; those that are none of usage, commands, examples and
# exit status are groups of options. Two blanks begin an entry, more blanks go on with its text.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 PROGRAM > resnet_study.1" >&2; exit 2; }
version=$("$1" --version | sed -n '1s/[^0-9]*\([0-9][0-9.]*\).*/\1/p')
help=$("$1" --help)
printf '%s\n' "$help" | awk -v version="$version" '
function escaped(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    sub(/^[.\047]/, "\\\\\\&&", text)
    return text
}
function section(name) {
    if (name == "Usage") {
        print ".SH SYNOPSIS"
    } else if (name == "Commands" || name == "Examples" || name == "Exit status") {
        print ".SH " toupper(name)
    } else {
        if (!options++) {
            print ".SH OPTIONS"
        }
        print ".SS " name
    }
    top = name
}
BEGIN {
    print ".\\\" made from --help by scripts/man_page.sh"
    print ".TH RESNET_STUDY 1 \"\" \"resnet_study " version "\" \"User Commands\""
    print ".SH NAME\nresnet_study \\- train networks and record how every layer moves"
    print ".SH DESCRIPTION"
}
/^[^ ].*:$/ { section(substr($0, 1, length($0) - 1)); next }
/^  [^ ]/ {
    entry = substr($0, 3)
    text = ""
    # An option, or an exit status, has its text on the same line, behind two blanks or more.
    if (match(entry, /  +/)) {
        text = substr(entry, RSTART + RLENGTH)
        entry = substr(entry, 1, RSTART - 1)
    }
    print ".TP\n\\fB" escaped(entry) "\\fR"
    if (text != "") {
        print escaped(text)
    }
    next
}
/^ *$/ { next }
{ sub(/^ +/, ""); print escaped($0) }
END { print ".SH SEE ALSO\nresnet_study run \\-\\-help, resnet_study analyze \\-\\-help, h5dump(1)" }
'
