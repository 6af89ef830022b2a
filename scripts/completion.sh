#!/bin/sh
# Makes a completion script from the program's own help: completion.sh bash|zsh PROGRAM > resnet_study
#
# completion_table.awk reads --help, and --help of every command, into lines of fields with tabs between them:
#   command NAME FILES SUMMARY            FILES: what it is given: records, study, networks or none
#   word COMMAND WORD SUMMARY             what may stand behind a command, as the kinds of analyze
#   option COMMAND NAME KIND WORDS HELP   COMMAND -: the program without a command; KIND: flag, words, networks, directory, file,
#                                         setting (KEY=VALUE of a study) or text
# and completion_bash.awk or completion_zsh.awk write the script from them.
set -eu
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
fi
case $#:${1:-} in
2:bash | 2:zsh) shell=$1 program=$2 ;;
*) echo "usage: $0 bash|zsh PROGRAM > /usr/share/bash-completion/completions/resnet_study" >&2 && exit 2 ;;
esac
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Names that no help lists: networks, and data sets that can be fetched.
networks=$("$program" networks | awk 'NR > 1 { printf "%s ", $1 }')
fetched=$(RS_DATA_DIR=$work "$program" data list | awk '/^[a-z]/ { name = $1 } /resnet_study data fetch/ { printf "%s ", name }')

{
    "$program" --help | awk -v of=- -f "$here/completion_table.awk"
    for command in $("$program" --help | awk '/^[^ ].*:$/ { on = $0 == "Commands:" } on && /^  [a-z]/ { print $1 }'); do
        "$program" "$command" --help | awk -v of="$command" -f "$here/completion_table.awk"
    done
    for name in $fetched; do
        printf 'word\tdata fetch\t%s\t\n' "$name"
    done
} >"$work/table"
awk -F '\t' -v networks="$networks" -v template="$here/completion_$shell.sh" -f "$here/completion_$shell.awk" "$work/table"
