#!/bin/zsh
# The part of zsh's completion that no table changes; completion.sh puts it behind the tables.

_resnet_study_command() { _describe command _resnet_study_commands }
_resnet_study_networks() {
    _alternative 'networks:network:compadd -a _resnet_study_names' 'files:file:_files -g "*.yaml"'
}
_resnet_study_given() { # KIND of the files that a command is given
    case $1 in
    study) _files -g '*.yaml' ;;
    records) _files -g '*.h5' ;;
    networks) _resnet_study_networks ;;
    *) _message 'no more arguments' ;;
    esac
}
# KEY=VALUE[,VALUE...] of a study.
_resnet_study_setting() {
    if compset -P 1 '*='; then
        local key=${IPREFIX%=} && key=${key##*=}
        compset -P '*,'
        compadd -- ${=_resnet_study_words[$key]}
    else
        compadd -q -S = -a _resnet_study_keys
    fi
}
_resnet_study() {
    if ((CURRENT > 2)) && [[ -n ${_resnet_study_commands[(r)$words[2]:*]} ]]; then
        shift words
        ((CURRENT--))
        _resnet_study_of $words[1]
    else
        _resnet_study_of -
    fi
}
if [[ $funcstack[1] == _resnet_study ]]; then
    _resnet_study "$@"
else
    compdef _resnet_study resnet_study
fi
