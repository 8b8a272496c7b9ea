import Artefact
import SystemPackage

/// By what an ISO image is told from an overlay.
enum ImageMark {
    /// Whether a file has the standard identifier of its first volume descriptor in sector 16 (ECMA-119 §8.1.2).
    static func isOn(_ path: FilePath) throws -> Bool {
        let descriptor = try HostFile.open(path)
        defer { try? descriptor.close() }
        var bytes = [UInt8](repeating: 0, count: 5)
        let count = unsafe try bytes.withUnsafeMutableBytes { field in
            unsafe try descriptor.read(fromAbsoluteOffset: 32769, into: field)
        }
        return count == 5 && bytes == Array("CD001".utf8)
    }
}
