# Reads a NodeList and says what the node is, or why it is not well, for the version in `release`; see json.awk.
# Of several nodes the one with the newest heartbeat counts: others are left from earlier host names.

function value(path, text, part) {
    split(path, part, SUBSEP)
    if (path == "kind") list = text
    if (part[1] != "items") return
    if (part[2] >= count) count = part[2] + 1
    if (part[3] == "metadata" && part[4] == "name" && !(5 in part)) name[part[2]] = text
    if (part[3] != "status") return
    if (part[4] == "nodeInfo" && part[5] == "kubeletVersion") version[part[2]] = text
    if (part[4] == "conditions") condition[part[2], part[5], part[6]] = text
    if (part[4] == "conditions" && part[6] == "type" && text == "Ready") ready[part[2]] = part[5]
}

function finish(node, best, beat, suffix) {
    if (broken == "" && list != "NodeList") broken = "it is no NodeList"
    if (broken != "") {
        print "the list of nodes cannot be read: " broken
        exit 1
    }
    best = -1
    for (node = 0; node < count; node++) {
        beat = (node in ready) ? condition[node, ready[node], "lastHeartbeatTime"] : ""
        if (best >= 0 && beat <= newest) continue
        best = node
        newest = beat
    }
    suffix = "+kubesolo-" release
    if (best < 0) why = "no node has registered"
    else if (!(best in ready)) why = "node " name[best] " is not ready: it has no condition Ready"
    else if (condition[best, ready[best], "status"] != "True")
        why = "node " name[best] " is not ready: " condition[best, ready[best], "reason"]
    else if (substr(version[best], length(version[best]) - length(suffix) + 1) != suffix)
        why = "node " name[best] " reports " version[best] ", not kubesolo-" release
    if (why != "") print why
    exit (why != "")
}
