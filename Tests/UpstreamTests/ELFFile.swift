/// Writes small ELF files by hand, so that each field can be wrong on purpose.
struct ELFFile {
    struct Segment {
        var type: UInt32
        var offset: UInt64
        var size: UInt64
        var flags: UInt32 = 5
    }

    var is64 = true
    var isBig = false
    var identification: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]
    var version: UInt8 = 1
    var system: UInt8 = 0
    var type: UInt16 = 2
    var machine: UInt16 = 62
    var entry: UInt64 = 0x40_0000
    var headerOffset: UInt64?
    var headerSize: UInt16?
    var headerCount: UInt16?
    var sectionOffset: UInt64 = 0
    var sectionCount: UInt16 = 0
    var segments: [Segment] = []
    var interpreter: [UInt8]?
    var dynamic: [(UInt64, UInt64)] = []
    var bodySize = 256

    /// A complete static program.
    static func staticProgram(machine: UInt16 = 62) -> ELFFile { ELFFile(machine: machine) }

    /// A dynamic program that asks for a loader.
    static func dynamicProgram(loader: String, machine: UInt16 = 62) -> ELFFile {
        ELFFile(type: 3, machine: machine, interpreter: Array(loader.utf8) + [0], dynamic: [(1, 1), (0, 0)])
    }

    var bytes: [UInt8] {
        let headBytes = is64 ? 64 : 52
        let segmentBytes = is64 ? 56 : 32
        let start = UInt64(headBytes + 8 * segmentBytes)
        var body = [UInt8](repeating: 0x90, count: bodySize)
        var all = segments
        if let interpreter {
            all.append(Segment(type: 3, offset: start + UInt64(body.count), size: UInt64(interpreter.count)))
            body += interpreter
        }
        if !dynamic.isEmpty {
            let table = dynamic.flatMap { word($0.0) + word($0.1) }
            all.append(Segment(type: 2, offset: start + UInt64(body.count), size: UInt64(table.count)))
            body += table
        }
        if segments.isEmpty { all.append(Segment(type: 1, offset: 0, size: start + UInt64(body.count))) }
        var file = identification + [is64 ? 2 : 1, isBig ? 2 : 1, version, system]
        file += [UInt8](repeating: 0, count: 8)
        file += number(UInt64(type), 2) + number(UInt64(machine), 2) + number(1, 4) + word(entry)
        file += word(headerOffset ?? UInt64(headBytes)) + word(sectionOffset) + number(0, 4)
        file += number(UInt64(headBytes), 2) + number(UInt64(headerSize ?? UInt16(segmentBytes)), 2)
        file += number(UInt64(headerCount ?? UInt16(all.count)), 2) + number(is64 ? 64 : 40, 2)
        file += number(UInt64(sectionCount), 2) + number(0, 2)
        for segment in all {
            file += number(UInt64(segment.type), 4)
            if is64 { file += number(UInt64(segment.flags), 4) }
            file += word(segment.offset) + word(0x40_0000) + word(0) + word(segment.size) + word(segment.size)
            if !is64 { file += number(UInt64(segment.flags), 4) }
            file += word(4096)
        }
        file += [UInt8](repeating: 0, count: max(0, Int(start) - file.count))
        return file + body
    }

    private func word(_ value: UInt64) -> [UInt8] { number(value, is64 ? 8 : 4) }

    private func number(_ value: UInt64, _ count: Int) -> [UInt8] {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
        return isBig ? bytes.reversed() : bytes
    }
}
