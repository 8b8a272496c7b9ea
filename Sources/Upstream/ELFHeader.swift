/// The fields of the ELF header and what follows from them, in one layout for both widths and byte orders.
struct ELFHeader {
    let width: ELFImage.Width
    let byteOrder: ELFImage.ByteOrder
    let system: UInt8
    let type: UInt16
    let machine: UInt16
    let entry: UInt64
    private let headerOffset: UInt64
    private let headerSize: UInt64
    private let headerCount: UInt64
    private let sectionOffset: UInt64
    private let sectionSize: UInt64
    private let sectionCount: UInt64

    /// One program header, as far as it is needed.
    struct Segment {
        let type: UInt64
        let flags: UInt64
        let offset: UInt64
        let address: UInt64
        let size: UInt64
        let memorySize: UInt64

        static let load: UInt64 = 1
        static let dynamic: UInt64 = 2
        static let interpreter: UInt64 = 3
        /// `PF_X`.
        static let isExecutable: UInt64 = 1

        /// Whether a program can begin at an address in it.
        func holds(entry: UInt64) -> Bool {
            type == Self.load && flags & Self.isExecutable != 0 && size > 0 && entry >= address
                && entry - address < memorySize
        }
    }

    /// What the dynamic section tells about the kind of file.
    struct DynamicFacts {
        var needsLibraries = false
        var isLibrary = false
    }

    private var is64: Bool { width == .bits64 }

    init(_ source: borrowing ByteSource) throws {
        let head = try source.read(at: 0, count: FileNature.headBytes)
        guard head.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else {
            let nature = FileNature.name(of: head) ?? "something else"
            throw UpstreamError(
                .wrongKind, subject: source.name, detail: "is no program for Linux (no ELF file) but \(nature)")
        }
        func malformed(_ detail: String) -> UpstreamError {
            UpstreamError(.malformed, subject: source.name, detail: "has a damaged ELF header: \(detail)")
        }
        guard head.count >= 52 else { throw Self.truncated(source, "within its ELF header") }
        guard let width = ELFImage.Width(rawValue: head[4]) else { throw malformed("class \(head[4])") }
        guard let byteOrder = ELFImage.ByteOrder(rawValue: head[5]) else { throw malformed("byte order \(head[5])") }
        guard head[6] == 1 else { throw malformed("version \(head[6])") }
        let is64 = width == .bits64
        guard head.count >= (is64 ? 64 : 52) else { throw Self.truncated(source, "within its ELF header") }
        func number(_ offset: Int, _ count: Int) -> UInt64 { Self.number(head, offset, count, byteOrder) }
        self.width = width
        self.byteOrder = byteOrder
        system = head[7]
        type = UInt16(truncatingIfNeeded: number(16, 2))
        machine = UInt16(truncatingIfNeeded: number(18, 2))
        entry = is64 ? number(24, 8) : number(24, 4)
        headerOffset = is64 ? number(32, 8) : number(28, 4)
        sectionOffset = is64 ? number(40, 8) : number(32, 4)
        headerSize = number(is64 ? 54 : 42, 2)
        headerCount = number(is64 ? 56 : 44, 2)
        sectionSize = number(is64 ? 58 : 46, 2)
        sectionCount = number(is64 ? 60 : 48, 2)
        guard headerCount == 0 || headerSize == (is64 ? 56 : 32) else {
            throw malformed("program headers of \(headerSize) bytes")
        }
        guard headerCount <= UInt64(ELFImage.maximumProgramHeaders) else {
            throw malformed("\(headerCount) program headers")
        }
    }

    /// The program headers, in the order of the file.
    func segments(_ source: borrowing ByteSource) throws -> [Segment] {
        guard headerCount > 0 else { return [] }
        let bytes = try source.read(at: headerOffset, count: Int(headerCount * headerSize))
        guard UInt64(bytes.count) == headerCount * headerSize else {
            throw Self.truncated(source, "before its program headers do")
        }
        return (0..<Int(headerCount)).map { index in
            let start = index * Int(headerSize)
            func field(_ offset64: Int, _ offset32: Int) -> UInt64 {
                is64 ? number(bytes, start + offset64, 8) : number(bytes, start + offset32, 4)
            }
            return Segment(
                type: number(bytes, start, 4), flags: number(bytes, start + (is64 ? 4 : 24), 4), offset: field(8, 4),
                address: field(16, 8), size: field(32, 16), memorySize: field(40, 20))
        }
    }

    /// The path in `PT_INTERP`.
    func interpreter(_ source: borrowing ByteSource, _ segments: [Segment]) throws -> String? {
        guard let segment = segments.first(where: { $0.type == Segment.interpreter }) else { return nil }
        func malformed(_ detail: String) -> UpstreamError {
            UpstreamError(.malformed, subject: source.name, detail: "has a damaged PT_INTERP: \(detail)")
        }
        guard segment.size <= UInt64(ELFImage.maximumInterpreterBytes) else {
            throw malformed("\(segment.size) bytes")
        }
        let bytes = try source.read(at: segment.offset, count: Int(segment.size))
        guard UInt64(bytes.count) == segment.size else { throw Self.truncated(source, "before its interpreter's name") }
        let path = bytes.prefix { $0 != 0 }
        guard !path.isEmpty, path.count < bytes.count, path.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw malformed("no path that ends with a NUL")
        }
        return String(decoding: path, as: UTF8.self)
    }

    /// `DT_NEEDED`, `DT_SONAME` and the `DF_1_PIE` bit of `DT_FLAGS_1`; nothing where the section is beyond the end.
    func dynamicFacts(_ source: borrowing ByteSource, _ segments: [Segment]) throws -> DynamicFacts {
        var facts = DynamicFacts()
        guard let segment = segments.first(where: { $0.type == Segment.dynamic }) else { return facts }
        let half = is64 ? 8 : 4
        let limit = UInt64(ELFImage.maximumDynamicEntries * half * 2)
        let bytes = try source.read(at: segment.offset, count: Int(min(segment.size, limit)))
        var isMarkedAsProgram = false
        for start in stride(from: 0, to: bytes.count - bytes.count % (half * 2), by: half * 2) {
            let value = number(bytes, start + half, half)
            switch number(bytes, start, half) {
            case 0:
                facts.isLibrary = facts.isLibrary && !isMarkedAsProgram
                return facts
            case 1: facts.needsLibraries = true
            case 14: facts.isLibrary = true
            case 0x6fff_fffb: isMarkedAsProgram = value & 0x0800_0000 != 0
            default: break
            }
        }
        facts.isLibrary = facts.isLibrary && !isMarkedAsProgram
        return facts
    }

    /// The offset after the last byte that anything in the headers claims; saturates where they overflow.
    func claimedSize(_ segments: [Segment]) -> UInt64 {
        var end: UInt64 = is64 ? 64 : 52
        func claim(_ offset: UInt64, _ size: UInt64) {
            guard size > 0 else { return }
            let sum = offset.addingReportingOverflow(size)
            end = max(end, sum.overflow ? .max : sum.partialValue)
        }
        claim(headerOffset, headerCount * headerSize)
        for segment in segments { claim(segment.offset, segment.size) }
        if sectionOffset > 0 { claim(sectionOffset, max(sectionCount, 1) * sectionSize) }
        return end
    }

    private func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64 {
        Self.number(bytes, offset, count, byteOrder)
    }

    private static func number(
        _ bytes: [UInt8], _ offset: Int, _ count: Int, _ byteOrder: ELFImage.ByteOrder
    ) -> UInt64 {
        guard offset >= 0, offset + count <= bytes.count else { return 0 }
        let field = bytes[offset..<(offset + count)]
        return byteOrder == .big
            ? field.reduce(0) { $0 << 8 | UInt64($1) } : field.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func truncated(_ source: borrowing ByteSource, _ place: String) -> UpstreamError {
        UpstreamError(
            .truncated, subject: source.name,
            detail: "is truncated: it ends \(place), after \(source.size) bytes; fetch it again")
    }
}
