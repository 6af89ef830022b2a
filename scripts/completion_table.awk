# completion_table.awk: what one --help says, as the table of completion.sh. of: the command, or - for the program itself.
#
# Lines without a blank in front that end in ":" are sections; options begin their lines with two blanks; an option that takes one of
# some words has them in the place of its value (a|b) or in brackets ([a|b; default a]). Commands and words are the first words of the
# entries of their sections. Options that stand in the usage alone count, too.
function clean(text) {
    gsub(/[ \t]+/, " ", text)
    gsub(/^ | $/, "", text)
    return text
}
function kind_of(value) {
    return value == "" ? "flag" : value ~ /^KEY=/ ? "setting" : value == "NAME|FILE" ? "networks" : value == "DIR" ? "directory" \
        : value ~ /FILE|SOURCE|DIR|\.h5/ ? "file" : "text"
}
function words_of(value, text) {
    gsub(/\| /, "|", text) # a list that goes on in the next line
    if (value ~ /^[a-z0-9-]+(\|[a-z0-9.-]+)+$/) {
        text = "[" value ";"
    } else if (value == "D") {
        text = "[auto|cpu|cuda|ref;"
    }
    if (!match(text, /\[[a-z0-9|-]+\|[a-z0-9|-]+;/)) {
        return ""
    }
    text = substr(text, RSTART + 1, RLENGTH - 2)
    gsub(/\|/, " ", text)
    return text
}
function put(name, value, text,    words, i, names, negated) {
    if (name in seen) {
        return
    }
    seen[name] = 1
    words = words_of(value, text)
    sub(/ *\[[^\]]*\]$/, "", text)
    printf "option\t%s\t%s\t%s\t%s\t%s\n", of, name, words != "" ? "words" : kind_of(value), words, text
}
function put_both(name, value, text) {
    if (name ~ /^--\[no-\]/) {
        sub(/\[no-\]/, "", name)
        put("--no-" substr(name, 3), value, "not: " text)
    }
    put(name, value, text)
}
function flush(    value) {
    if (name != "") {
        value = name
        sub(/^[^ ]+ ?/, "", value)
        sub(/ .*/, "", name)
        put_both(name, value, clean(text))
        if (short != "") {
            put(short, value, clean(text))
        }
    } else if (word != "" && of == "-") {
        put_command(word, summary, clean(text))
    } else if (word != "" && !(word in seen)) {
        printf "word\t%s\t%s\t%s\n", of, word, clean(text)
    }
    name = short = word = text = ""
}
# Of a command its files, and the words that its arguments begin with: "list | fetch NAME".
function put_command(word, arguments, text,    parts, count, i) {
    printf "command\t%s\t%s\t%s\n", word, arguments ~ /\.yaml/ ? "study" : arguments ~ /\.h5|INPUT/ ? "records" \
        : arguments ~ /NAME\|FILE/ ? "networks" : "none", text
    count = split(arguments, parts, / \| /)
    for (i = 1; i <= count; i++) {
        sub(/ .*/, "", parts[i])
        if (parts[i] ~ /^[a-z][a-z-]*$/) {
            printf "word\t%s\t%s\t\n", word, parts[i]
        }
    }
}
/^[Uu]sage:/ { in_usage = 1 }
/^ *$/ { flush(); in_usage = 0; blank = NR; next }
in_usage {
    usage = usage " " $0
    next
}
/^[A-Z].*:$/ && blank == NR - 1 {
    flush()
    section = substr($0, 1, length($0) - 1)
    entries = section !~ /^(Examples|Exit status|Environment)/
    next
}
/^[^ ]/ { flush(); next }
/^  --?[a-z\[]/ && section !~ /^Example/ {
    flush()
    sub(/^ +/, "")
    if (/^-[a-z], /) {
        short = substr($0, 1, 2)
        sub(/^-[a-z], /, "")
    }
    name = $0
    if (match(name, /  +/)) {
        text = substr(name, RSTART + RLENGTH)
        name = substr(name, 1, RSTART - 1)
    }
    next
}
/^  [^ ]/ {
    flush()
    if (entries && $1 ~ /^[a-z][a-z-]*$/) {
        word = $1
        summary = $0
        sub(/^ *[^ ]+ ?/, "", summary)
    }
    next
}
{ text = text " " $0 }
END {
    flush()
    while (match(usage, /--[a-z-]+( [A-Z|]+)?/)) {
        name = substr(usage, RSTART, RLENGTH)
        usage = substr(usage, RSTART + RLENGTH)
        value = name
        sub(/^[^ ]+ ?/, "", value)
        sub(/ .*/, "", name)
        put(name, value, "")
    }
    if (!("--help" in seen)) {
        put("--help", "", "print this")
    }
}
