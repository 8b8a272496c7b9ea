import Artefact
import SystemPackage

/// Where the bytes of two files part.
enum ComparedBytes {
    /// The largest file of which lines are shown, in bytes.
    private static let maximumTextBytes = 16 << 20
    /// The most characters that are shown of a line.
    private static let shownCharacters = 160

    /// The first line of two texts that differs, else the first byte that does; of secrets the sizes at most.
    ///
    /// - Throws: `ArtefactError` where a file cannot be read.
    static func firstDifference(_ a: FilePath, _ b: FilePath, isSecret: Bool) throws -> String {
        let sizes = (try HostFile.status(of: a).size, try HostFile.status(of: b).size)
        guard !isSecret else { return "\(sizes.0) and \(sizes.1) bytes, which hold a secret" }
        if a.string.hasSuffix(".json"), max(sizes.0, sizes.1) <= maximumTextBytes {
            let lines = (try lines(of: a), try lines(of: b))
            // The namespace of a document of SPDX follows from all the rest.
            let line = zip(lines.0, lines.1).enumerated().first { $1.0 != $1.1 && !$1.0.contains("documentNamespace") }
            if let (number, (old, new)) = line { return "line \(number + 1) was \(shown(old)) and is \(shown(new))" }
        }
        return "\(sizes.0) and \(sizes.1) bytes, the first that differs at \(try offset(a, b))"
    }

    private static func lines(of file: FilePath) throws -> [Substring] {
        String(decoding: try HostFile.read(file, limit: maximumTextBytes), as: UTF8.self).split(separator: "\n")
    }

    private static func shown(_ line: Substring) -> String {
        String(printable(String(line.drop { $0 == " " })).prefix(shownCharacters))
    }

    /// The place of the first byte that only one of the files has, counted from 0.
    private static func offset(_ a: FilePath, _ b: FilePath) throws -> UInt64 {
        let pieces = (try FileDescriptor.open(a, .readOnly), try FileDescriptor.open(b, .readOnly))
        defer {
            try? pieces.0.close()
            try? pieces.1.close()
        }
        let size = 1 << 18
        var buffers = ([UInt8](repeating: 0, count: size), [UInt8](repeating: 0, count: size))
        var position: UInt64 = 0
        while true {
            let counts = (
                try fill(&buffers.0, from: pieces.0, at: position), try fill(&buffers.1, from: pieces.1, at: position)
            )
            let common = min(counts.0, counts.1)
            if let index = (0..<common).first(where: { buffers.0[$0] != buffers.1[$0] }) {
                return position + UInt64(index)
            }
            guard counts.0 == counts.1, common > 0 else { return position + UInt64(common) }
            position += UInt64(common)
        }
    }

    private static func fill(_ buffer: inout [UInt8], from file: FileDescriptor, at position: UInt64) throws -> Int {
        try unsafe buffer.withUnsafeMutableBytes { bytes in
            var count = 0
            while count < bytes.count {
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[count...])
                let read = try unsafe file.read(fromAbsoluteOffset: Int64(position) + Int64(count), into: rest)
                if read == 0 { break }
                count += read
            }
            return count
        }
    }
}
