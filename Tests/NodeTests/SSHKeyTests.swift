import Artefact
import SystemPackage
import TestSupport
import Testing

@testable import Node

struct SSHKeyTests {
    @Test(arguments: [
        ("ed25519", 0, "ssh-ed25519", "ed25519"), ("ecdsa", 256, "ecdsa-sha2-nistp256", "ecdsa"),
        ("ecdsa", 384, "ecdsa-sha2-nistp384", "ecdsa"), ("ecdsa", 521, "ecdsa-sha2-nistp521", "ecdsa"),
        ("rsa", 2048, "ssh-rsa", "rsa"),
    ])
    func `what ssh-keygen makes is taken, and no part of it alone`(
        type: String, bits: Int, name: String, algorithm: String
    ) async throws {
        let scratch = try Scratch()
        let file = scratch.path.appending("key").string
        let size = bits == 0 ? [] : ["-b", "\(bits)"]
        #expect(try await run("ssh-keygen", ["-q", "-t", type, "-N", "", "-C", "a  b", "-f", file] + size).succeeded)
        let line = String(decoding: try HostFile.read(FilePath(file + ".pub"), limit: 9999).dropLast(), as: UTF8.self)
        let key = try SSHPublicKey(parsing: line)
        #expect(key.type == name)
        #expect(key.comment == "a  b")
        #expect(key.description == line)
        #expect(try SSHPublicKey(parsing: "\(name) \(key.base64)").comment.isEmpty)
        for count in stride(from: 0, to: key.base64.count, by: 4) {
            #expect(throws: SSHKeyProblem.self) {
                try SSHPublicKey(parsing: "\(name) \(key.base64.prefix(count))")
            }
        }
        #expect(throws: SSHKeyProblem.self) { try SSHPublicKey(parsing: "\(name) \(key.base64)AAAA") }

        let privateBytes = try HostFile.read(FilePath(file), limit: 99999)
        let hostKey = try Access.HostKey(parsing: privateBytes)
        #expect(hostKey.algorithm == algorithm)
        #expect(hostKey.privateKey == privateBytes)
        let pasted = #expect(throws: SSHKeyProblem.self) {
            try SSHPublicKey(parsing: String(decoding: privateBytes, as: UTF8.self))
        }
        #expect(pasted?.detail.contains("is a private key") == true)
        for count in stride(from: 0, to: privateBytes.count - 1, by: 41) {
            #expect(throws: SSHKeyProblem.self) { try Access.HostKey(parsing: Array(privateBytes.prefix(count))) }
        }
    }

    @Test func `a short RSA key is refused with its length`() async throws {
        let scratch = try Scratch()
        let file = scratch.path.appending("key").string
        #expect(try await run("ssh-keygen", ["-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", file]).succeeded)
        let line = String(decoding: try HostFile.read(FilePath(file + ".pub"), limit: 9999).dropLast(), as: UTF8.self)
        let problem = #expect(throws: SSHKeyProblem.self) { try SSHPublicKey(parsing: line) }
        #expect(problem?.detail == "is an RSA key of 1024 bits (the least is 2048)")
    }

    @Test func `an encrypted host key is refused`() async throws {
        let scratch = try Scratch()
        let file = scratch.path.appending("key").string
        #expect(try await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "geheim", "-f", file]).succeeded)
        let bytes = try HostFile.read(FilePath(file), limit: 9999)
        let problem = #expect(throws: SSHKeyProblem.self) { try Access.HostKey(parsing: bytes) }
        #expect(problem?.detail.contains("is encrypted") == true)
    }

    @Test(arguments: [
        ("", "is empty"), ("   ", "is empty"), ("ssh-ed25519", "no key after it"), ("ssh-ed25519 !!!!", "not base64"),
        ("ssh-dss AAAAB3NzaC1kc3M=", "DSA"), ("hello world", "does not begin with a type"),
        ("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIIhYmQ1C4hVUPK8vuVFqVq0oULRxBIGyz4LXjLw3ek1i", "of another type"),
        ("from=\"10.0.0.1\" ssh-ed25519 AAAA", "options"), ("ssh-ed25519-cert-v01@openssh.com AAAA", "certificate"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIhY\nssh-rsa x", "line break"),
        ("---- BEGIN SSH2 PUBLIC KEY ----", "OpenSSH's format"), ("-----BEGIN PUBLIC KEY-----", "OpenSSH's format"),
        ("ssh-ed25519 AAAA=AAA", "not base64"), ("ssh-ed25519 /////w==", "cut off"),
        ("ssh-ed25519 " + String(repeating: "A", count: 9000), "longer than"),
    ])
    func `anything else is refused with its reason`(line: String, why: String) {
        let problem = #expect(throws: SSHKeyProblem.self) { try SSHPublicKey(parsing: line) }
        #expect(problem?.detail.contains(why) == true, "\(problem?.detail ?? "")")
    }

    @Test(arguments: [
        // Made by hand after PROTOCOL.u2f: type, [curve,] key, application "ssh:".
        ("sk-ssh-ed25519@openssh.com", [32], []), ("sk-ecdsa-sha2-nistp256@openssh.com", [65], ["nistp256"]),
    ])
    func `a key of a security token is taken`(type: String, sizes: [Int], curve: [String]) throws {
        var point = [UInt8](repeating: 7, count: sizes[0])
        if sizes[0] == 65 { point[0] = 4 }
        let fields: [[UInt8]] = [Array(type.utf8)] + curve.map { Array($0.utf8) } + [point, Array("ssh:".utf8)]
        let wire: [UInt8] = fields.flatMap { (field: [UInt8]) -> [UInt8] in [0, 0, 0, UInt8(field.count)] + field }
        #expect(try SSHPublicKey(parsing: "\(type) \(encoded(wire)) token").type == type)
        #expect(throws: SSHKeyProblem.self) { try SSHPublicKey(parsing: "\(type) \(encoded(Array(wire.dropLast(8))))") }
    }

    private func encoded(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = Array(bytes[start..<min(start + 3, bytes.count)])
            let bits = (0..<3).reduce(0) { $0 << 8 | ($1 < group.count ? Int(group[$1]) : 0) }
            for index in 0..<4 {
                text.append(index <= group.count ? digits[bits >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
