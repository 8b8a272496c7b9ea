internal import Artefact
internal import SystemPackage

/// What a screen in text mode shows, read from the memory of the display adapter.
///
/// With Alpine's own kernel command line the kernel and init speak to the screen alone, so that a boot which ends before
/// the first service leaves no trace on the serial line.
enum ScreenText {
    /// Where the adapter's text begins and how large it is: 80 columns of a character and its colours, more rows than the
    /// screen shows, because the kernel scrolls by moving the window.
    static let address = 0xb8000
    static let size = 32 * 1024
    private static let columns = 80

    /// The rows that are not blank, in the order of the memory.
    ///
    /// - Parameter memory: Pairs of a character (code page 437) and its colours.
    /// - Returns: The rows; what is no ASCII is shown as `·`.
    static func rows(_ memory: [UInt8]) -> [String] {
        stride(from: 0, to: memory.count - memory.count % (columns * 2), by: columns * 2).compactMap { start in
            var row = stride(from: start, to: start + columns * 2, by: 2).map { memory[$0] == 0 ? 0x20 : memory[$0] }
            while row.last == 0x20 { row.removeLast() }
            guard !row.isEmpty else { return nil }
            return row.map { (0x20..<0x7f).contains($0) ? String(UnicodeScalar($0)) : "·" }.joined()
        }
    }
}

extension RunningMachine {
    /// What the screen shows and showed lately, without blank rows; nothing when it is not in text mode.
    public func screen() async throws -> [String] {
        struct Arguments: Encodable {
            let val = ScreenText.address
            let size = ScreenText.size
            let filename: String

            private enum CodingKeys: String, CodingKey { case val, size, filename }
        }
        let file = scratch.appending("screen")
        _ = try await execute("pmemsave", Arguments(filename: file.string))
        defer { try? HostFile.remove(file) }
        let rows = ScreenText.rows(try HostFile.read(file, limit: ScreenText.size))
        // In a graphics mode the same addresses hold pixels.
        let isText = rows.joined().unicodeScalars.filter { $0 == "·" }.count * 4 < rows.joined().count
        return isText ? rows : []
    }

    /// Looks on the screen for a sign that the boot cannot go on.
    func lookAtScreen() async throws {
        guard failure == nil else { return }
        let rows = try await screen()
        note(screen: rows)
    }
}
