internal import Artefact
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

/// Alpine's own apk, asked what it would install into an empty root.
struct ApkSolver {
    private let folder: FilePath

    /// Makes an empty root in a folder.
    init(in folder: FilePath) async throws {
        self.folder = folder
        let made = try await Lab.apk([
            "--root", folder.appending("root").string, "--initdb", "--arch", "x86_64", "--no-network", "add",
        ])
        try #require(made.succeeded, "\(made.errors)")
    }

    /// Writes indexes as unsigned repositories.
    func repositories(_ texts: [String], under name: String) throws -> [FilePath] {
        try texts.enumerated().map { number, text in
            let repository = folder.appending(name).appending("\(number)")
            try HostFile.makeDirectories(repository.appending("x86_64"))
            try StagedFile.write(
                SmallArchive.index(text, signature: nil), to: repository.pushing("x86_64/APKINDEX.tar.gz"))
            return repository
        }
    }

    /// The packages that apk installs for each world, as `NAME-VERSION`, sorted; `nil` where it refuses.
    func answers(_ questions: [(repositories: [FilePath], world: [String])]) async throws -> [[String]?] {
        let script = """
            root=$1; shift
            while read -r repositories world; do
                set -f
                options=; old=$IFS; IFS=,; for r in $repositories; do options="$options --repository $r"; done; IFS=$old
                # shellcheck disable=SC2086
                if out=$("$@" --root "$root" --arch x86_64 --no-network --allow-untrusted $options \\
                    --simulate add $world 2>/dev/null); then
                    printf '%s\\n' "$out"; echo "= yes"
                else
                    echo "= no"
                fi
            done
            """
        let input = questions.map { question in
            question.repositories.map(\.string).joined(separator: ",") + " "
                + question.world.joined(separator: " ") + "\n"
        }
        let result = try await run(
            "sh", ["-c", script, "sh", folder.appending("root").string] + Lab.apkCommand, input: input.joined())
        var answers: [[String]?] = []
        var installed: [String] = []
        for line in result.output.split(separator: "\n") {
            if line.hasPrefix("= ") {
                answers.append(line == "= yes" ? installed.sorted() : nil)
                installed = []
            } else if let begin = line.range(of: ") Installing ") {
                // `( 1/25) Installing musl (1.2.5-r23)`
                let words = line[begin.upperBound...].split(separator: " ")
                installed.append("\(words[0])-\(words[1].dropFirst().dropLast())")
            }
        }
        return answers
    }
}

extension Substring {
    /// Where a text stands first.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}

extension PackageResolver {
    /// The closure of a world as ``ApkSolver`` tells it.
    func answer(_ world: [String]) throws(UpstreamError) -> [String]? {
        do {
            return try resolve(world: world).members.map { "\($0.package.name)-\($0.package.version)" }.sorted()
        } catch {
            guard error.code == .unsatisfiable else { throw error }
            return nil
        }
    }
}
