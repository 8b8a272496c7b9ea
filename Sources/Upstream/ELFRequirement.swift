public import Node

/// What a program must be to run on a node.
extension ELFImage {
    /// Demands a complete, static program for an architecture: the only kind that runs on Alpine whatever is installed.
    ///
    /// The reasons are tried in the order in which they help: another processor, a file that ends early, something that
    /// is no program, then the C library.
    ///
    /// - Throws: ``UpstreamError`` with ``UpstreamError/Code/wrongArchitecture``, ``UpstreamError/Code/truncated``,
    ///   ``UpstreamError/Code/wrongKind`` or ``UpstreamError/Code/wrongLibrary``.
    public func requireStaticProgram(for architecture: Architecture) throws(UpstreamError) {
        func fault(_ code: UpstreamError.Code, _ detail: String) -> UpstreamError {
            UpstreamError(code, subject: name, detail: detail)
        }
        let found = Self.machineName(machine)
        guard machine == architecture.elfMachine else {
            throw fault(
                .wrongArchitecture,
                "is built for \(found) and the node is \(architecture.alpineName); "
                    + "take the file with \(architecture.kubeSoloName) in its name")
        }
        guard width == .bits64, byteOrder == .little else {
            let shape = width == .bits32 ? "a 32-bit" : "a big-endian"
            throw fault(
                .wrongArchitecture, "is \(shape) program for \(found) and the node runs 64-bit little-endian ones")
        }
        guard !isTruncated else {
            throw fault(
                .truncated,
                "is truncated: its headers describe \(claimedSize) bytes and it has \(size); fetch it again")
        }
        guard kind.isProgram else { throw fault(.wrongKind, "is no program but \(noun)") }
        guard system == 0 || system == 3 else {
            throw fault(.wrongKind, "is a program for another system than Linux (OS ABI \(system))")
        }
        guard hasEntry else {
            throw fault(.wrongKind, "cannot be started: no executable segment holds the address at which it begins")
        }
        guard !isStatic else { return }
        guard let interpreter else {
            throw fault(
                .wrongLibrary, "needs shared libraries but names no loader; take the -musl asset, which is static")
        }
        if interpreter.contains("ld-musl") {
            throw fault(
                .wrongLibrary,
                "is linked dynamically against musl (loader \(interpreter)) and its libraries are not on the image; "
                    + "take the -musl asset of the release, which is static")
        }
        if interpreter.contains("ld-linux") || interpreter.contains("ld64.so") {
            throw fault(
                .wrongLibrary,
                "is a glibc build (loader \(interpreter)), which Alpine cannot start (\"not found\"); take the -musl asset"
            )
        }
        throw fault(
            .wrongLibrary, "needs the loader \(interpreter), which Alpine does not have; take the -musl asset")
    }

    private var noun: String {
        switch kind {
        case .object: "an object file that was not linked"
        case .fixedProgram, .movableProgram: "a program"
        case .library: "a shared library"
        case .core: "a memory dump"
        case .other(let type): "an ELF file of type \(type)"
        }
    }
}
