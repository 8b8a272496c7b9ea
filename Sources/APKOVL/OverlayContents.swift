internal import Archive
internal import Artefact
internal import SystemPackage

/// An overlay as init unpacks it: the members as stored, what stands at each path in the end, and the small files.
struct OverlayContents {
    /// Files up to this size are kept for the rules that read them; what is larger is no configuration.
    static let keptBytes: UInt64 = 256 << 10
    /// All kept files together have at most this many bytes.
    static let keptBytesInAll = 16 << 20

    let fileName: String
    private(set) var members: [ArchiveMember] = []
    private(set) var entries: [String: ArchiveMember] = [:]
    private(set) var duplicates: [String] = []
    private var files: [String: [UInt8]] = [:]
    let summary: ArchiveSummary

    /// Reads an overlay to its end.
    ///
    /// - Throws: `ArchiveError`.
    init(_ path: FilePath) throws {
        fileName = path.lastComponent?.string ?? path.string
        var reader = try ArchiveReader(path)
        var kept = 0
        while let member = try reader.next() {
            members.append(member)
            let place = Self.place(of: member.name)
            if let present = entries[place], !(present.kind == .directory && member.kind == .directory) {
                duplicates.append(place)
            }
            entries[place] = member
            files[place] = nil
            guard member.kind == .file, member.size <= Self.keptBytes else { continue }
            guard kept + Int(member.size) <= Self.keptBytesInAll else { continue }
            files[place] = try reader.read(limit: Int(Self.keptBytes))
            kept += Int(member.size)
        }
        summary = reader.summary
    }

    /// Where busybox tar puts a member: leading `/` and `./` are taken off, and so is the slash of a directory.
    static func place(of name: String) -> String {
        let parts = name.utf8.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
        return parts.map { String(Substring($0)) }.joined(separator: "/")
    }

    /// The bytes of a small file.
    func bytes(_ path: String) -> [UInt8]? { files[path] }

    /// The lines of a small text file without carriage returns, or `nil` where it is not there.
    func lines(_ path: String) -> [String]? {
        guard let bytes = files[path] else { return nil }
        return bytes.split(separator: UInt8(ascii: "\n")).map { line in
            String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
        }
    }

    /// The lines that are neither empty nor comments, split into words.
    func words(_ path: String) -> [[String]] {
        (lines(path) ?? []).map { $0.split { $0 == " " || $0 == "\t" }.map(String.init) }
            .filter { !$0.isEmpty && $0.first?.hasPrefix("#") == false }
    }

    /// The paths of the entries below a directory, one level deep, sorted.
    func paths(below directory: String) -> [String] {
        let prefix = directory + "/"
        return entries.keys.filter { path in
            path.hasPrefix(prefix) && !path.utf8.dropFirst(prefix.utf8.count).contains(UInt8(ascii: "/"))
        }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The services that a runlevel's links name, sorted.
    func services(in runlevel: String) -> [String] {
        paths(below: "etc/runlevels/\(runlevel)").map { String($0.split(separator: "/").last ?? "") }
    }

    /// The value that a file of shell assignments gives a name, quotes taken off; the last one wins.
    func assignment(_ name: String, in path: String) -> String? {
        (lines(path) ?? []).last { $0.hasPrefix("\(name)=") }.map { line in
            String(line.dropFirst(name.count + 1)).filter { $0 != "\"" && $0 != "'" }
        }
    }
}
