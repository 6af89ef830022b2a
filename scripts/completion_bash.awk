# completion_bash.awk: the table of completion.sh as a completion script for bash. networks: the names of all networks.
function case_line(command, name, action) {
    return "    \"" command " " name "\") " action " ;;\n"
}
$1 == "command" {
    commands = commands " " $2
    if ($3 != "none") {
        files = files "    " $2 ") given=" $3 " ;;\n"
    }
}
$1 == "word" { words[$2] = words[$2] " " $3 }
$1 == "option" {
    options[$2] = options[$2] " " $3
    if ($4 != "flag") {
        values = values case_line($2, $3, "kind=" $4 ($4 == "words" ? " words=\"" $5 "\"" : ""))
    }
    if ($2 == "-" && $3 ~ /^--/ && $3 !~ /^--(no-stop|help|version)/) {
        keys = keys " " substr($3, 3) "="
        if ($4 == "words" || $4 == "flag") {
            settings = settings "    " substr($3, 3) ") words=\"" ($4 == "flag" ? "true false" : $5) "\" ;;\n"
        }
    }
}
END {
    print "# bash completion of resnet_study; made from --help by scripts/completion.sh"
    print "_resnet_study_value() { # COMMAND OPTION: the kind of the option's value, and its words; a flag has none"
    print "    kind='' words=''"
    print "    case \"$1 $2\" in\n" values "    esac\n}"
    print "_resnet_study_setting() { # KEY: the words that a study's setting may be"
    print "    words=''\n    case $1 in\n" settings "    network) words=\"" networks "\" ;;\n    esac\n}"
    print "_resnet_study_first() { # COMMAND: what its first argument may be, and what files it is given"
    print "    given=none words=''\n    case $1 in\n" files "    esac\n    case $1 in"
    for (command in words) {
        printf "    \"%s\") words=\"%s\" ;;\n", command, substr(words[command], 2)
    }
    print "    esac\n}"
    print "_resnet_study_options() { # COMMAND\n    case $1 in"
    for (command in options) {
        printf "    %s) words=\"%s\" ;;\n", command, substr(options[command], 2)
    }
    print "    esac\n}"
    print "_resnet_study_networks=\"" networks "\""
    print "_resnet_study_commands=\"" substr(commands, 2) "\""
    print "_resnet_study_keys=\"" substr(keys, 2) "\""
    while ((getline line < template) > 0) {
        print line
    }
}
