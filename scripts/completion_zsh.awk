# completion_zsh.awk: the table of completion.sh as a completion function for zsh. networks: the names of all networks.
function quoted(text) { # inside '...' of a specification of _arguments
    gsub(/[\[\]:\\]/, "\\\\&", text)
    return in_quotes(text)
}
function in_quotes(text) {
    gsub(/\047/, "\047\\\047\047", text)
    return text
}
function action(kind, words) {
    return kind == "words" ? "(" words ")" : kind == "networks" ? "_resnet_study_networks" : kind == "setting" ? "_resnet_study_setting" \
        : kind == "directory" ? "_files -/" : kind == "file" ? "_files" : " "
}
function described(word, text) {
    gsub(/[\\():"]/, "\\\\&", text)
    return " " word (text == "" ? "" : "\\:\"" in_quotes(text) "\"")
}
$1 == "command" {
    commands = commands "    \047" $2 ":" in_quotes($4) "\047\n"
    files[$2] = $3
    order[++count] = $2
}
$1 == "word" { words[$2] = words[$2] described($3, $4) }
$1 == "option" {
    separator = $3 ~ /^--/ ? "=" : ""
    line = "\047" $3 ($4 == "flag" ? "" : separator) "[" quoted($6) "]"
    options[$2] = options[$2] "    " line ($4 == "flag" ? "" : ":value:" in_quotes(action($4, $5))) "\047\n"
    if ($2 == "-" && $3 ~ /^--/ && $3 !~ /^--(no-stop|help|version)/) {
        keys = keys " " substr($3, 3)
        if ($4 == "words" || $4 == "flag") {
            settings = settings "    " substr($3, 3) " \047" ($4 == "flag" ? "true false" : $5) "\047\n"
        }
    }
}
END {
    print "#compdef resnet_study\n# zsh completion of resnet_study; made from --help by scripts/completion.sh"
    print "typeset -gA _resnet_study_words"
    print "typeset -ga _resnet_study_commands=(\n" commands ")"
    print "typeset -ga _resnet_study_names=(" networks ")\ntypeset -ga _resnet_study_keys=(" keys ")"
    print "_resnet_study_words=(\n" settings "    network \047" networks "\047\n)"
    print "_resnet_study_of() { # COMMAND: complete its arguments\n    case $1 in"
    for (i = 1; i <= count; i++) {
        c = order[i]
        print "    " c ")\n        _arguments -S \\"
        gsub(/\n/, " \\\n        ", options[c])
        printf "        %s", options[c]
        if (c in words) {
            print "\0471:first:((" in_quotes(substr(words[c], 2)) "))\047 \\"
            printf "        "
        }
        if ((c " fetch") in words) {
            print "\0472:second:(" substr(words[c " fetch"], 2) ")\047 \\"
            printf "        "
        }
        print "\047*:file: _resnet_study_given " files[c] "\047 ;;"
    }
    gsub(/\n/, " \\\n        ", options["-"])
    printf "    *)\n        _arguments -S \\\n        %s%s\n    esac\n}\n", options["-"], "\0471:command:_resnet_study_command\047 ;;"
    while ((getline line < template) > 0) {
        print line
    }
}
