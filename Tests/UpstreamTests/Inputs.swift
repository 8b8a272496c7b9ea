internal import SystemPackage
internal import TestSupport

/// The real inputs that the lab makes.
enum Lab {
    static var alpineImage: FilePath {
        Product.mirror.pushing("alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso")
    }

    /// Alpine's own apk, started by its own loader so that it runs on this host.
    static var apkCommand: [String] {
        let system = Product.lab.appending("root")
        let libraries = "\(system.pushing("lib")):\(system.pushing("usr/lib"))"
        return [
            system.pushing("lib/ld-musl-x86_64.so.1").string, "--library-path", libraries,
            system.pushing("sbin/apk").string,
        ]
    }

    static func apk(_ arguments: [String]) async throws -> ProgramResult {
        try await run(apkCommand[0], Array(apkCommand.dropFirst()) + arguments)
    }

    /// What `apk version -t` says about each pair: `<`, `=` or `>`.
    static func verdicts(on pairs: [(String, String)]) async throws -> [String] {
        let script = "while read -r left right; do \"$@\" version -t \"$left\" \"$right\"; done"
        let result = try await run(
            "sh", ["-c", script, "sh"] + apkCommand, input: pairs.map { "\($0.0) \($0.1)\n" }.joined())
        return result.output.split(separator: "\n").map(String.init)
    }
}

/// A generator whose numbers follow from its seed alone (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
