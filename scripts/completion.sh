#!/bin/sh
# Makes a completion script for bash from the program's own --help: completion.sh PROGRAM > resnet_study
#
# Commands are the first words under "Commands:"; options begin their lines; an option that takes one of a few words has them
# in brackets: [adam|adamw|sgd; default adam].
set -eu
[ $# -eq 1 ] || { echo "usage: $0 PROGRAM > /usr/share/bash-completion/completions/resnet_study" >&2; exit 2; }
help=$("$1" --help)
printf '%s\n' "$help" | awk '
function flush() {
    gsub(/\| /, "|", text) # a list that goes on in the next line
    if (option != "" && match(text, /\[[a-z0-9|-]+\|[a-z0-9|-]+;/)) {
        words = substr(text, RSTART + 1, RLENGTH - 2)
        gsub(/\|/, " ", words)
        choices = choices "    " option ") COMPREPLY=($(compgen -W \"" words "\" -- \"$word\")); return ;;\n"
    }
    option = text = ""
}
/^[^ ].*:$/ { flush(); commands_now = ($0 == "Commands:"); next }
commands_now && /^  [a-z]/ && $1 != "COMMAND" { commands = commands " " $1; next }
/^  (-h, )?--/ {
    flush()
    for (i = 1; i <= NF && $i !~ /^--/; i++) {
    }
    option = $i
    if (option ~ /^--\[no-\]/) {
        sub(/\[no-\]/, "", option)
        negated = option
        sub(/^--/, "--no-", negated)
        options = options " " negated
    }
    options = options " " option
}
{ text = text " " $0 }
END {
    flush()
    print "# bash completion of resnet_study; made from --help by scripts/completion.sh"
    print "_resnet_study() {"
    print "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}"
    print "    COMPREPLY=()"
    print "    case $before in"
    printf "%s", choices
    print "    --data-dir|--out-dir) COMPREPLY=($(compgen -d -- \"$word\")); return ;;"
    print "    esac"
    print "    if [[ $word == -* ]]; then"
    print "        COMPREPLY=($(compgen -W \"" substr(options, 2) "\" -- \"$word\"))"
    print "    elif [[ $COMP_CWORD -eq 1 ]]; then"
    print "        COMPREPLY=($(compgen -W \"" substr(commands, 2) "\" -- \"$word\"))"
    print "    fi"
    print "}"
    print "complete -o default -F _resnet_study resnet_study"
}
'
