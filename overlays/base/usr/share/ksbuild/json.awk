# Reads one JSON text (RFC 8259) and calls value(path, text) for each string, number and word in it, in order.
# A path is the keys and the places in lists on the way, with SUBSEP between them; texts keep their escapes.
# What is no JSON, or ends before its end, leaves a reason in `broken`; nothing is skipped and nothing is guessed.
# Each quotation mark ends a record, so that a long line costs no more than a short one.

BEGIN { RS = "\""; wanted = "value"; depth = 0 }

broken != "" { next }

# Between strings: marks, numbers and words.
!inside {
    text = $0
    while (match(text, /[^ \t\r\n]/)) {
        text = substr(text, RSTART)
        mark = substr(text, 1, 1)
        if (index("[]{},:", mark)) {
            punctuation(mark)
            text = substr(text, 2)
        } else {
            match(text, /^[-+.0-9A-Za-z]+/)
            word = RLENGTH > 0 ? substr(text, 1, RLENGTH) : ""
            if (word !~ /^(true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?)$/) {
                broken = "unexpected text"
                next
            }
            scalar(word)
            text = substr(text, RLENGTH + 1)
        }
        if (broken != "") next
    }
    inside = 1
    string = ""
    next
}

# Inside a string, which goes on where the quotation mark is escaped.
{
    string = string $0
    match($0, /\\*$/)
    if (RLENGTH % 2) {
        string = string "\""
        next
    }
    inside = 0
    if (wanted == "key" || wanted == "key or end") {
        key[depth] = string
        wanted = ":"
    } else scalar(string)
}

END {
    # What follows the last quotation mark was read as if a string began there.
    if (broken == "" && (depth != 0 || wanted != "nothing" || !inside || string != "")) broken = "it ends too early"
    finish()
}

function scalar(text) {
    if (wanted != "value" && wanted != "value or end") {
        broken = "a value stands where " wanted " is expected"
        return
    }
    value(here(), text)
    ended()
}

function ended() {
    wanted = depth == 0 ? "nothing" : ", or end"
}

function here(level, text) {
    text = key[1]
    for (level = 2; level <= depth; level++) text = text SUBSEP key[level]
    return depth ? text : ""
}

function punctuation(mark) {
    if ((mark == "{" || mark == "[") && (wanted == "value" || wanted == "value or end") && depth < 64) {
        depth++
        kind[depth] = mark
        key[depth] = 0
        wanted = mark == "{" ? "key or end" : "value or end"
    } else if (mark == ":" && wanted == ":") {
        wanted = "value"
    } else if (mark == "," && wanted == ", or end") {
        if (kind[depth] == "[") key[depth]++
        wanted = kind[depth] == "{" ? "key" : "value"
    } else if ((mark == "}" && kind[depth] == "{" || mark == "]" && kind[depth] == "[") && depth > 0 &&
        (wanted == ", or end" || wanted == "key or end" || wanted == "value or end")) {
        depth--
        ended()
    } else broken = "'" mark "' stands where " wanted " is expected"
}
