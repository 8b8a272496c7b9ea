# Reads a PodList of kube-system and says why no CoreDNS pod is ready, if so; see json.awk.
# KubeSolo labels the pod k8s-app=coredns, other makers of clusters kube-dns. One that is being deleted does not count.

function value(path, text, part) {
    split(path, part, SUBSEP)
    if (path == "kind") list = text
    if (part[1] != "items") return
    if (part[2] >= count) count = part[2] + 1
    if (part[3] == "metadata" && part[4] == "name" && !(5 in part)) name[part[2]] = text
    if (part[3] == "metadata" && part[4] == "deletionTimestamp") leaving[part[2]] = 1
    if (part[3] == "metadata" && part[4] == "labels" && part[5] == "k8s-app" && text ~ /^(coredns|kube-dns)$/)
        dns[part[2]] = 1
    if (part[3] == "status" && part[4] == "phase") phase[part[2]] = text
    if (part[3] == "status" && part[4] == "conditions") condition[part[2], part[5], part[6]] = text
    if (part[3] == "status" && part[4] == "conditions" && part[6] == "type" && text == "Ready")
        ready[part[2]] = part[5]
}

function finish(pod, seen) {
    if (broken == "" && list != "PodList") broken = "it is no PodList"
    if (broken != "") {
        print "the list of pods cannot be read: " broken
        exit 1
    }
    for (pod = 0; pod < count; pod++) {
        if (!(pod in dns) || (pod in leaving)) continue
        if ((pod in ready) && condition[pod, ready[pod], "status"] == "True") exit 0
        seen = seen (seen == "" ? "" : ", ") name[pod] " is " phase[pod]
    }
    print "no CoreDNS pod is ready: " (seen == "" ? "there is none" : seen)
    exit 1
}
