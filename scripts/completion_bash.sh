#!/bin/bash
# shellcheck disable=SC2154 # the tables come before it
# completion_bash.sh: the part of bash's completion that no table changes; completion.sh puts it behind the tables.

# Candidates from words; those behind a comma keep what stands before it.
_resnet_study_reply() { # WORDS WORD
    local last=${2##*,} before=
    [[ $2 == *,* ]] && before=${2%,*},
    mapfile -t COMPREPLY < <(compgen -W "$1" -P "$before" -- "$last")
}
_resnet_study_files() { # ENDINGS WORD: folders, and files that end so
    local ending
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -d -- "$2"; for ending in $1; do compgen -f -X "!*$ending" -- "$2"; done)
}
_resnet_study_take() { # KIND WORD
    case $1 in
    words) _resnet_study_reply "$words" "$2" ;;
    directory) compopt -o filenames 2>/dev/null && mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
    networks)
        _resnet_study_files .yaml "$2"
        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W "$_resnet_study_networks" -- "$2")
        ;;
    study) _resnet_study_files .yaml "$2" ;;
    records) _resnet_study_files .h5 "$2" ;;
    file) compopt -o default 2>/dev/null ;;
    setting)
        compopt -o nospace 2>/dev/null
        _resnet_study_reply "$_resnet_study_keys" "$2"
        ;;
    esac
}
# bash splits --option=value and KEY=VALUE at "=".
_resnet_study() {
    local word=${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1)) command=- kind words given equals=
    COMPREPLY=()
    [[ $word == "=" ]] && word='' equals=yes
    [[ -z $equals && ${COMP_WORDS[at]} == "=" ]] && equals=yes && ((at -= 1))
    [[ $COMP_CWORD -gt 1 && " $_resnet_study_commands " == *" ${COMP_WORDS[1]} "* ]] && command=${COMP_WORDS[1]}
    if [[ -n $equals && ${COMP_WORDS[at - 1]} == --set ]]; then
        _resnet_study_setting "${COMP_WORDS[at]}"
        _resnet_study_reply "$words" "$word"
        return
    fi
    _resnet_study_value "$command" "${COMP_WORDS[at]}"
    if [[ -n $kind ]]; then
        _resnet_study_take "$kind" "$word"
    elif [[ $word == -* ]]; then
        _resnet_study_options "$command"
        _resnet_study_reply "$words" "$word"
    elif [[ $command == - ]]; then
        [[ $COMP_CWORD -eq 1 ]] && _resnet_study_reply "$_resnet_study_commands" "$word"
    elif [[ $COMP_CWORD -eq 3 ]] && _resnet_study_first "$command ${COMP_WORDS[2]}" && [[ -n $words ]]; then
        _resnet_study_reply "$words" "$word"
    else
        _resnet_study_first "$command"
        if [[ -n $words && $COMP_CWORD -eq 2 ]]; then
            _resnet_study_reply "$words" "$word"
        else
            _resnet_study_take "$given" "$word"
        fi
    fi
}
complete -F _resnet_study resnet_study
