import Artefact
import SystemPackage

/// What a disk may hold when the power fails after so many operations of a recording.
///
/// The rules are those that POSIX guarantees and no more, so they allow all that ext4 does (in every data mode, with and
/// without delayed allocation) and a good deal that it does not:
/// - The bytes, size and mode of a file are on the disk once that file was synchronised.
/// - A name is on the disk once its directory was synchronised after the change; the two halves of a rename together.
/// - Of what was not synchronised any part may be on the disk, in any order: each change of a name or not; of a file's
///   new bytes none, half, zeros in their place, or all; its new mode or the old one.
struct CrashStates: Sendable {
    /// What may or may not be on the disk, and how many ways there are.
    private enum Choice {
        case names(Int)
        case bytes(inode: Int, operations: [Int])
        case mode(inode: Int, operations: [Int])

        var ways: Int {
            switch self {
            case .names: 2
            case .bytes: 4
            case .mode(_, let operations): operations.count + 1
            }
        }
    }

    /// One thing on the disk.
    enum Node: Hashable, Sendable {
        case directory(mode: Int)
        case file(inode: Int, bytes: [UInt8], mode: Int)
        case symlink(String)
    }

    /// Everything on the disk by its path below the recording's root.
    typealias State = [String: Node]

    private struct Contents {
        var bytes: [Int: [UInt8]] = [:]
        var modes: [Int: Int] = [:]
    }

    let recording: DiskRecording

    /// Hands over what the disk may hold after `count` operations.
    ///
    /// - Parameters:
    ///   - count: How many operations were made.
    ///   - limit: How many combinations are tried at most; above it, those with one change more or less than nothing or
    ///     all, and others at random.
    ///   - random: Picks the others.
    ///   - body: Sees each state; equal states are handed over again.
    func forEach(
        after count: Int, limit: Int, _ random: inout some RandomNumberGenerator, _ body: (State) throws -> Void
    ) rethrows {
        let (durable, choices) = open(after: count)
        for ways in Self.picks(choices.map(\.ways), limit: limit, &random) {
            try body(state(durable, Array(zip(choices, ways))))
        }
    }

    /// The combinations that are tried, each a way for every choice.
    private static func picks(
        _ ways: [Int], limit: Int, _ random: inout some RandomNumberGenerator
    ) -> [[Int]] {
        var product = 1
        for way in ways where product <= limit { product *= way }
        if product <= limit {
            return ways.reduce([[]]) { found, way in found.flatMap { pick in (0..<way).map { pick + [$0] } } }
        }
        let none = ways.map { _ in 0 }
        let all = ways.map { $0 - 1 }
        var picks = [none, all]
        for index in ways.indices {
            for way in 0..<ways[index] {
                for base in [none, all] {
                    var pick = base
                    pick[index] = way
                    picks.append(pick)
                }
            }
            // As a journal has it that was written up to here.
            picks.append(Array(all[...index] + none[(index + 1)...]))
        }
        while picks.count < limit { picks.append(ways.map { Int.random(in: 0..<$0, using: &random) }) }
        return picks
    }

    /// Splits the operations into those that are on the disk for certain and the rest.
    private func open(after count: Int) -> (durable: [Int], choices: [Choice]) {
        var lastSynchronised: [Int: Int] = [:]
        for (index, operation) in recording.operations[..<count].enumerated() {
            if case .synchronise(let inode) = operation { lastSynchronised[inode] = index }
        }
        func isDurable(_ index: Int, _ inode: Int) -> Bool { lastSynchronised[inode].map { $0 > index } ?? false }
        var durable: [Int] = []
        var choices: [Choice] = []
        var bytes: [Int: [Int]] = [:]
        var modes: [Int: [Int]] = [:]
        for (index, operation) in recording.operations[..<count].enumerated() {
            switch operation {
            case .names(let names):
                // The lock says nothing about what the store holds, whether it is there or not.
                if names.allSatisfy({ $0.name == ".lock" }) || names.contains(where: { isDurable(index, $0.directory) })
                {
                    durable.append(index)
                } else {
                    choices.append(.names(index))
                }
            case .append(let inode, _), .truncate(let inode, _):
                if isDurable(index, inode) { durable.append(index) } else { bytes[inode, default: []].append(index) }
            case .mode(let inode, _):
                if isDurable(index, inode) { durable.append(index) } else { modes[inode, default: []].append(index) }
            case .synchronise: break
            }
        }
        choices += bytes.sorted { $0.key < $1.key }.map { .bytes(inode: $0.key, operations: $0.value) }
        choices += modes.sorted { $0.key < $1.key }.map { .mode(inode: $0.key, operations: $0.value) }
        return (durable, choices)
    }

    private func state(_ durable: [Int], _ picks: [(Choice, Int)]) -> State {
        var contents = Contents()
        var names = durable
        for index in durable { apply(index, to: &contents) }
        for (choice, way) in picks {
            switch choice {
            case .names(let index): if way == 1 { names.append(index) }
            case .bytes(let inode, let operations): append(operations, of: inode, way, to: &contents)
            case .mode(_, let operations): if way > 0 { apply(operations[way - 1], to: &contents) }
            }
        }
        var entries: [Int: [String: Int]] = [:]
        for index in names.sorted() {
            guard case .names(let changes) = recording.operations[index] else { continue }
            for change in changes { entries[change.directory, default: [:]][change.name] = change.inode }
        }
        var state: State = [:]
        place(DiskRecording.root, "", entries, contents, in: &state)
        return state
    }

    private func apply(_ index: Int, to contents: inout Contents) {
        switch recording.operations[index] {
        case .append(let inode, let bytes): contents.bytes[inode, default: []] += bytes
        case .truncate(let inode, let size):
            contents.bytes[inode, default: []] = Array((contents.bytes[inode] ?? []).prefix(size))
        case .mode(let inode, let bits): contents.modes[inode] = bits
        case .names, .synchronise: break
        }
    }

    private func append(_ operations: [Int], of inode: Int, _ way: Int, to contents: inout Contents) {
        let before = contents.bytes[inode] ?? []
        if way == 0 { return }
        for index in operations { apply(index, to: &contents) }
        let after = contents.bytes[inode] ?? []
        guard after.count > before.count, way < 3 else { return }
        let half = before.count + (after.count - before.count) / 2
        contents.bytes[inode] =
            Array(after.prefix(half)) + (way == 2 ? [UInt8](repeating: 0, count: after.count - half) : [])
    }

    private func place(
        _ directory: Int, _ prefix: String, _ entries: [Int: [String: Int]], _ contents: Contents, in state: inout State
    ) {
        for (name, inode) in entries[directory] ?? [:] {
            let path = prefix + name
            let mode = contents.modes[inode] ?? recording.inodes[inode].mode
            switch recording.inodes[inode].kind {
            case .directory:
                // A directory that two names lead to is the work of a rename of which only half would be done.
                state[path] = .directory(mode: mode)
                place(inode, path + "/", entries, contents, in: &state)
            case .file: state[path] = .file(inode: inode, bytes: contents.bytes[inode] ?? [], mode: mode)
            case .symlink(let target): state[path] = .symlink(target)
            }
        }
    }

    /// Puts a state on a real disk.
    static func write(_ state: State, below folder: FilePath) throws {
        var firstNames: [Int: FilePath] = [:]
        var modes: [(FilePath, Int)] = []
        for path in state.keys.sorted() {
            let target = folder.pushing(FilePath(path))
            switch state[path] {
            case .directory(let mode):
                try HostFile.makeDirectory(target)
                modes.append((target, mode))
            case .file(let inode, let bytes, let mode):
                if let first = firstNames[inode] {
                    try HostFile.link(first, to: target)
                    continue
                }
                let file = try FileDescriptor.open(
                    target, .writeOnly, options: [.create, .exclusiveCreate], permissions: [.ownerReadWrite])
                try file.closeAfter { _ = try file.writeAll(bytes) }
                try HostFile.setMode(of: target, EntryMode(UInt16(mode)))
                firstNames[inode] = target
            case .symlink(let text): try HostFile.makeSymlink(target, to: text)
            case nil: break
            }
        }
        for (path, mode) in modes.reversed() { try HostFile.setMode(of: path, EntryMode(UInt16(mode))) }
    }
}
