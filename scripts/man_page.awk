# man_page.awk: one --help as parts of a manual page, files in folder: of the program itself, or of command.
#
# Lines without a blank in front that end in ":" are sections; two blanks begin an entry, more blanks go on with its text; an empty
# line ends a paragraph. Examples of commands are collected for the page's own section.
function escaped(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    sub(/^[.\047]/, "\\\\\\&&", text)
    return text
}
function put(text) {
    if (paragraph && !at_heading && text !~ /^\.(TP|S[HS])/) {
        print ".PP" > (folder "/" part)
    }
    paragraph = 0
    at_heading = text ~ /^\.S[HS]/
    print text > (folder "/" part)
}
function begin(name, heading) {
    part = name
    put(heading)
}
function main_section(name) {
    if (name == "Usage") {
        begin("synopsis", ".SH SYNOPSIS")
    } else if (name == "Commands" || name == "Examples" || name == "Exit status") {
        begin(tolower(name == "Exit status" ? "exit_status" : name), ".SH " toupper(name))
    } else {
        if (!groups++) {
            begin("options", ".SH OPTIONS")
        }
        put(".SS " name)
    }
}
function command_section(name) {
    if (name == "Examples") {
        begin("examples-" command, ".SS " command)
    } else {
        put(".SS " escaped(name))
    }
}
function put_entry(entry,    text) {
    # An option, or an exit status, has its text on the same line, behind two blanks or more.
    if (match(entry, /  +/)) {
        text = substr(entry, RSTART + RLENGTH)
        entry = substr(entry, 1, RSTART - 1)
    }
    entry = escaped(entry)
    gsub(/"/, "\\(dq", entry)
    put(".TP\n.B \"" entry "\"")
    if (text != "") {
        put(escaped(text))
    }
}
function put_usage(line) {
    sub(/^[Uu]sage: +/, "", line)
    sub(/^ +/, "", line)
    put((usages++ ? ".br\n" : "") escaped(line))
}
BEGIN {
    if (command == "") {
        begin("description", ".SH DESCRIPTION")
    } else {
        begin("command-" command, ".SH RESNET_STUDY " toupper(command))
    }
}
/^[Uu]sage: / { in_usage = 1 }
/^ *$/ {
    in_usage = 0
    paragraph = 1
    if (part ~ /^examples-/) {
        part = "command-" command # what stands behind the examples
    }
    next
}
in_usage { put_usage($0); next }
/^[A-Z].*:$/ && paragraph {
    if (command == "") {
        main_section(substr($0, 1, length($0) - 1))
    } else {
        command_section(substr($0, 1, length($0) - 1))
    }
    next
}
/^  [^ ]/ { put_entry(substr($0, 3)); in_entry = 1; next }
/^[^ ]/ && in_entry { in_entry = 0; paragraph = 1 }
{
    sub(/^ +/, "")
    if (/[^ ]  +[^ ]/ && !paragraph && !at_heading) { # a table of its own: line by line
        put(".br")
    }
    put(escaped($0))
}
