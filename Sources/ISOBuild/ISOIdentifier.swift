/// The names of one directory in a name space that cannot hold every name: shortened, cleaned and made unique.
///
/// Each name keeps its extension where that is short. Names that the name space holds as they stand keep themselves;
/// the others, in byte order of the true names, get `_` and a number at the end of their stem where they collide. The
/// outcome depends on the set of names alone.
struct ISOIdentifiers {
    /// A name in parts; both count in 16-bit units, the extension with its full stop.
    private struct Parts {
        var stem: [UInt16]
        var suffix: [UInt16]
        var isExact: Bool
        var whole: [UInt16] { stem + suffix }
    }

    private static let stop = UInt16(UInt8(ascii: "."))
    private static let semicolon = UInt16(UInt8(ascii: ";"))
    private static let underscore = UInt16(UInt8(ascii: "_"))

    /// File and directory identifiers of interchange level 3 (ECMA-119 §7.5, §7.6): upper-case d-characters, at most 30
    /// of them besides the full stop; files end in `;1`.
    ///
    /// - Parameter names: The names of one directory.
    /// - Returns: An identifier for each name.
    static func primary(_ names: [(name: String, isDirectory: Bool)]) -> [[UInt8]] {
        var taken: Set<[UInt16]> = []
        return primary(names, besides: &taken)
    }

    /// The same beside identifiers that are there already and stay as they are; the new ones are then among them.
    static func primary(
        _ names: [(name: String, isDirectory: Bool)], besides taken: inout Set<[UInt16]>
    ) -> [[UInt8]] {
        let parts = names.map { name, isDirectory in
            var parts = split(name.utf16.map(dCharacter), isDirectory: isDirectory, longestSuffix: 9)
            if parts.suffix == [stop] { parts.suffix = [] }
            parts.stem = parts.stem.map { $0 == stop ? underscore : $0 }
            parts.stem = Array(parts.stem.prefix((parts.suffix.isEmpty ? 30 : 31) - parts.suffix.count))
            parts.isExact = parts.whole.elementsEqual(name.utf16)
            return parts
        }
        return zip(unique(parts, limit: 30, countingStop: false, besides: &taken), names).map { parts, name in
            let text = parts.whole.map { UInt8(truncatingIfNeeded: $0) }
            if name.isDirectory { return text }
            return text + (parts.suffix.isEmpty ? Array(".;1".utf8) : Array(";1".utf8))
        }
    }

    /// Joliet identifiers, UCS-2 big-endian, of at most 64 characters besides the `;1` of files.
    ///
    /// What lies beyond the basic plane and what Joliet forbids (`* / : ; ? \`) becomes `_`, and so does a full stop at
    /// the end, which Linux and 7-Zip drop.
    ///
    /// - Parameter names: The names of one directory.
    /// - Returns: An identifier for each name.
    static func joliet(_ names: [(name: String, isDirectory: Bool)]) -> [[UInt8]] {
        var taken: Set<[UInt16]> = []
        return joliet(names, besides: &taken)
    }

    /// The same beside identifiers that are there already and stay as they are; the new ones are then among them.
    static func joliet(
        _ names: [(name: String, isDirectory: Bool)], besides taken: inout Set<[UInt16]>
    ) -> [[UInt8]] {
        let parts = names.map { name, isDirectory in
            var units = name.unicodeScalars.map(jolietCharacter)
            for last in units.indices.reversed() {
                guard units[last] == stop else { break }
                units[last] = underscore
            }
            var parts = split(units, isDirectory: isDirectory, longestSuffix: 16)
            parts.stem = Array(parts.stem.prefix(64 - parts.suffix.count))
            if parts.suffix.isEmpty, let last = parts.stem.last, last == stop {
                parts.stem[parts.stem.count - 1] = underscore
            }
            parts.isExact = parts.whole.elementsEqual(name.utf16)
            return parts
        }
        return zip(unique(parts, limit: 64, countingStop: true, besides: &taken), names).map { parts, name in
            var bytes: [UInt8] = []
            for unit in parts.whole + (name.isDirectory ? [] : Array(";1".utf16)) { bytes.appendBig16(unit) }
            return bytes
        }
    }

    /// What of an identifier must be unique in its directory: all but the version and a full stop that only separates.
    static func significant(_ identifier: [UInt8], in tree: ISOTreeKind) -> [UInt16] {
        var units =
            tree == .primary
            ? identifier.map { UInt16($0) }
            : stride(from: 0, to: identifier.count - 1, by: 2).map {
                UInt16(identifier[$0]) << 8 | UInt16(identifier[$0 + 1])
            }
        if let end = units.lastIndex(of: semicolon) { units.removeSubrange(end...) }
        if tree == .primary, units.last == stop { units.removeLast() }
        return units
    }

    private static func dCharacter(_ unit: UInt16) -> UInt16 {
        switch unit {
        case 0x61...0x7a: unit - 0x20
        case 0x41...0x5a, 0x30...0x39, stop: unit
        default: underscore
        }
    }

    private static func jolietCharacter(_ scalar: Unicode.Scalar) -> UInt16 {
        guard scalar.value <= 0xFFFF, scalar.value >= 0x20 else { return underscore }
        return "*/:;?\\".unicodeScalars.contains(scalar) ? underscore : UInt16(truncatingIfNeeded: scalar.value)
    }

    /// Splits before the last full stop, unless it is the first character or what follows is too long to be kept.
    private static func split(_ units: [UInt16], isDirectory: Bool, longestSuffix: Int) -> Parts {
        guard !isDirectory, let last = units.lastIndex(of: stop), last > 0, units.count - last <= longestSuffix else {
            return Parts(stem: units, suffix: [], isExact: false)
        }
        return Parts(stem: Array(units[..<last]), suffix: Array(units[last...]), isExact: false)
    }

    private static func unique(
        _ names: [Parts], limit: Int, countingStop: Bool, besides taken: inout Set<[UInt16]>
    ) -> [Parts] {
        let names = names.map { name in
            var name = name
            if name.isExact, !taken.insert(name.whole).inserted { name.isExact = false }
            return name
        }
        var next: [[UInt16]: Int] = [:]
        return names.map { name in
            if name.isExact || taken.insert(name.whole).inserted { return name }
            let room = limit - name.suffix.count + (countingStop || name.suffix.isEmpty ? 0 : 1)
            var number = next[name.whole, default: 1]
            var candidate = name
            repeat {
                let mark = Array("_\(number)".utf16)
                candidate.stem = Array(name.stem.prefix(room - mark.count)) + mark
                number += 1
            } while !taken.insert(candidate.whole).inserted
            next[name.whole] = number
            return candidate
        }
    }
}
