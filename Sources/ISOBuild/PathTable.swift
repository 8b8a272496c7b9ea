/// A path table, ECMA-119 §9.4: the directories of a tree by level, parent and identifier.
enum PathTable {
    /// What a table tells of one directory.
    struct Entry {
        let identifier: [UInt8]
        /// The first sector of its records.
        let extent: UInt32
        /// The directory above; the root is its own.
        let parent: Int
    }

    /// The bytes of a table.
    ///
    /// - Parameters:
    ///   - directories: The directories in the order of the table, each after the one above it.
    ///   - bigEndian: Whether numbers are in big-endian order (type M), or in little-endian (type L).
    ///   - entry: What is told of a directory.
    /// - Returns: The table without the zeros that fill its last sector.
    static func bytes(_ directories: [Int], bigEndian: Bool, _ entry: (Int) -> Entry) -> [UInt8] {
        var bytes: [UInt8] = []
        var numbers: [Int: UInt16] = [:]
        for (index, directory) in directories.enumerated() {
            numbers[directory] = UInt16(truncatingIfNeeded: index + 1)
            let entry = entry(directory)
            let parent = numbers[entry.parent, default: 1]
            bytes += [UInt8(truncatingIfNeeded: entry.identifier.count), 0]
            if bigEndian {
                bytes.appendBig32(entry.extent)
                bytes.appendBig16(parent)
            } else {
                bytes.appendLittle32(entry.extent)
                bytes.appendLittle16(parent)
            }
            bytes += entry.identifier
            if entry.identifier.count % 2 != 0 { bytes.append(0) }
        }
        return bytes
    }
}
