internal import Artefact
public import SystemPackage

/// What an ELF file says about itself, read from its header and program headers alone.
///
/// System V gABI, chapters 4 and 5. Numbers in the file are not trusted: every read is within the file and bounded by a
/// named limit, and a file that ends early is a fact (``isTruncated``), not a crash.
public struct ELFImage: Hashable, Sendable {
    /// `EI_CLASS`: the width of addresses.
    public enum Width: UInt8, Hashable, Sendable {
        /// `ELFCLASS32`.
        case bits32 = 1
        /// `ELFCLASS64`.
        case bits64 = 2
    }

    /// `EI_DATA`: the order of bytes in numbers.
    public enum ByteOrder: UInt8, Hashable, Sendable {
        /// `ELFDATA2LSB`.
        case little = 1
        /// `ELFDATA2MSB`.
        case big = 2
    }

    /// `e_type`, as far as it is told apart.
    public enum Kind: Hashable, Sendable {
        /// `ET_REL`: an object file.
        case object
        /// `ET_EXEC`: a program at a fixed address.
        case fixedProgram
        /// `ET_DYN` that can be started: a position-independent program.
        case movableProgram
        /// `ET_DYN` that cannot: a shared library.
        case library
        /// `ET_CORE`: a memory dump.
        case core
        /// Any other value.
        case other(UInt16)

        /// Whether the kernel can start it.
        public var isProgram: Bool { self == .fixedProgram || self == .movableProgram }
    }

    /// The most program headers that are read; Linux reads no more than 64 KiB of them.
    public static let maximumProgramHeaders = 1170
    /// The longest path of an interpreter, in bytes with its NUL; Linux takes no longer one.
    public static let maximumInterpreterBytes = 4096
    /// The most entries of the dynamic section that are read.
    public static let maximumDynamicEntries = 4096

    /// What the file is called in messages.
    public let name: String
    /// How many bytes the file has.
    public let size: UInt64
    /// The width of addresses.
    public let width: Width
    /// The order of bytes in numbers.
    public let byteOrder: ByteOrder
    /// `e_machine`.
    public let machine: UInt16
    /// What kind of ELF file it is.
    public let kind: Kind
    /// The path in `PT_INTERP`: the loader that a dynamically linked program needs; `nil` for a static one.
    public let interpreter: String?
    /// Whether it names libraries that it needs (`DT_NEEDED`).
    public let needsLibraries: Bool
    /// `EI_OSABI`: 0 for System V, 3 for Linux.
    public let system: UInt8
    /// Whether a segment that is loaded and may be executed holds the address at which the program begins.
    public let hasEntry: Bool
    /// The offset after the last byte that headers, segments and section table claim.
    public let claimedSize: UInt64

    /// Whether the file ends before what its headers describe does.
    public var isTruncated: Bool { claimedSize > size }

    /// Whether it runs with no loader and no library.
    public var isStatic: Bool { kind.isProgram && interpreter == nil && !needsLibraries }

    /// Reads a file's headers.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - named: What to call it in messages, where that is not its path.
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/wrongKind`` when it is no ELF file and says what it is
    ///   instead, ``UpstreamError/Code/truncated`` when it ends within its headers, ``UpstreamError/Code/malformed``
    ///   when they contradict themselves; `ArtefactError` when it cannot be read.
    public init(_ path: FilePath, named: String? = nil) throws { try self.init(ByteSource(path, named: named)) }

    /// Reads the headers of bytes at hand.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - named: What to call it in messages.
    /// - Throws: As for a file.
    public init(bytes: [UInt8], named: String) throws { try self.init(ByteSource(bytes: bytes, named: named)) }

    private init(_ source: borrowing ByteSource) throws {
        let header = try ELFHeader(source)
        let segments = try header.segments(source)
        let dynamic = try header.dynamicFacts(source, segments)
        name = source.name
        size = source.size
        width = header.width
        byteOrder = header.byteOrder
        machine = header.machine
        interpreter = try header.interpreter(source, segments)
        needsLibraries = dynamic.needsLibraries
        system = header.system
        hasEntry = segments.contains { $0.holds(entry: header.entry) }
        claimedSize = header.claimedSize(segments)
        kind =
            switch header.type {
            case 1: .object
            case 2: .fixedProgram
            case 3:
                interpreter == nil && (dynamic.isLibrary || dynamic.needsLibraries || header.entry == 0)
                    ? .library : .movableProgram
            case 4: .core
            default: .other(header.type)
            }
    }

    /// What `e_machine` stands for, or its number.
    public static func machineName(_ machine: UInt16) -> String {
        machineNames[machine] ?? "machine \(machine)"
    }

    private static let machineNames: [UInt16: String] = [
        3: "i386", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390x", 40: "arm", 43: "sparc64", 62: "x86_64",
        183: "aarch64", 243: "riscv64", 247: "bpf", 258: "loongarch64",
    ]
}
