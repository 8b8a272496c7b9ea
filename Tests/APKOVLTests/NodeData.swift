import Artefact
import Node
import TestSupport
import Testing

@testable import APKOVL

/// What KubeSolo keeps on the data disk of a sandbox, and boots of one version after the other over it.
enum NodeData {
    /// Large enough for snapshots and what must be free beside them.
    static let mount = "mkdir -p /var/lib/kubesolo; mount -t tmpfs -o size=200m none /var/lib/kubesolo\n"

    /// Shell functions for a sandbox, whose working directory they leave at the data disk.
    ///
    /// - `become VERSION RELEASE` makes the node another release.
    /// - `write WORD` writes what KubeSolo writes, with the word in every file.
    /// - `boot VERSION[+] RELEASE WORD` is a boot: it opens the datastore, writes, and with `+` becomes healthy. A start
    ///   that is refused prints why and writes nothing.
    /// - `held` prints the words that are in the files, each once, with how often, and who has opened them last.
    static let functions = """
        become() { sed -i "s/^KUBESOLO=.*/KUBESOLO=$1/;s/^VERSION=.*/VERSION=$2/" /etc/ksbuild/release; }
        write() {
            (
                cd /var/lib/kubesolo
                mkdir -p kine/db pki/ca pki/apiserver containerd/registry/own.example kubelet/config.d
                for file in kine/db/state.db kine/db/state.db-wal kine/db/state.db-shm pki/ca/ca.key pki/apiserver/sa.key \\
                    containerd/registry/own.example/hosts.toml kubelet/config.d/10-own.conf; do
                    echo "$1" >$file
                done
                chmod 750 kine/db
                chmod 600 pki/*/*.key
                ln -sf ../ca/ca.key pki/apiserver/link
            )
        }
        boot() {
            become "${1%+}" "$2"
            datastore open || return
            write "$3"
            case $1 in *+) datastore confirm ;; esac
        }
        held() {
            (
                cd /var/lib/kubesolo
                find kine pki containerd kubelet -type f -exec cat {} + | sort | uniq -c | sed 's/^ *//' | tr '\\n' ' '
                sed -n 's/^opened=//p' ksbuild/datastore
            )
        }
        cd /var/lib/kubesolo

        """

    /// What `held` prints of files that all hold a word.
    static func held(_ word: String, by version: String) -> String { "7 \(word) \(version)\n" }

    /// Runs a script over an empty data disk.
    static func run(_ script: String, snapshots: Int = 3, mount: String = mount) async throws -> ProgramResult {
        let sandbox = try reportingSandbox(nil) { $0.dataDisk.snapshots = snapshots }
        return try await sandbox.run(mount + functions + script)
    }
}
