#!/bin/sh
# Makes the manual page from the program's own --help, and --help of every command: man_page.sh PROGRAM > resnet_study.1
# man_page.awk turns one help into parts of the page; here they are put into the order that pages have.
set -eu
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit 0
fi
[ $# -eq 1 ] || { echo "usage: $0 PROGRAM > resnet_study.1" >&2; exit 2; }
program=$1
here=$(dirname "$0")
parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT
version=$("$program" --version | sed -n '1s/[^0-9]*\([0-9][0-9.]*\).*/\1/p')

"$program" --help | awk -v folder="$parts" -f "$here/man_page.awk"
commands=$("$program" --help | awk '/^[^ ].*:$/ { on = $0 == "Commands:" } on && /^  [a-z]/ { print $1 }')
for command in $commands; do
    "$program" "$command" --help | awk -v folder="$parts" -v command="$command" -f "$here/man_page.awk"
done

echo '.\" made from --help by scripts/man_page.sh'
echo ".TH RESNET_STUDY 1 \"\" \"resnet_study $version\" \"User Commands\""
echo '.SH NAME'
echo 'resnet_study \- train networks and record how every layer moves'
for part in synopsis description commands options; do
    cat "$parts/$part"
done
for command in $commands; do
    cat "$parts/command-$command"
done
cat "$parts/exit_status" "$parts/examples"
for command in $commands; do
    [ ! -e "$parts/examples-$command" ] || cat "$parts/examples-$command"
done
printf '.SH SEE ALSO\n.BR h5dump (1),\n.BR h5ls (1),\n.BR gnuplot (1)\n'
