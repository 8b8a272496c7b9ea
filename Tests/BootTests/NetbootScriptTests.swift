import Artefact
import ServerSupport
import SystemPackage
import TestSupport
import Testing

/// What iPXE makes of the script: which machines it starts, and what becomes of the others.
@Suite(.boots(1)) struct NetbootScriptTests {
    private static let uuid = "01234567-89ab-cdef-0123-456789abcdef"
    private static let other = "11111111-2222-3333-4444-555555555555"

    /// Lays out a fleet of one node by its card and one by its UUID.
    private func publish(_ version: String, in folder: FilePath, for server: Nginx) async throws {
        let recipe = """
            apiVersion: ksbuild/v1
            name: edge
            nodes:
              a: { mac: "52:54:00:12:34:01" }
              b: { uuid: \(Self.uuid) }

            """
        try StagedFile.write(Array(recipe.utf8), to: folder.appending("ksbuild.yaml"))
        let built = try await ksbuild(
            "bundle", "--quiet", "--no-medium", "--mirror", Product.mirror.string, "--version", version, in: folder)
        try #require(built.succeeded, "\(built.errors)")
        let laid = try await ksbuild(
            "publish", "--netboot", server.root.string, "--url", "http://10.0.2.2:\(server.port)", version, in: folder)
        try #require(laid.succeeded, "\(laid.errors)")
    }

    /// Starts a machine and waits until it has asked for all of the paths in this order, and perhaps for more.
    ///
    /// - Returns: What it asked for.
    private func requests(
        of hardwareAddress: String, _ uuid: String, to server: Nginx, in folder: FilePath, until paths: [String],
        meanwhile: ([String]) async throws -> Void = { _ in }
    ) async throws -> [String] {
        let machine = try await BackgroundProgram(
            [
                "qemu-system-x86_64", "-accel", "tcg", "-m", "256", "-nodefaults", "-display", "none", "-vga", "none",
                "-uuid", uuid, "-netdev", "user,id=net0,bootfile=http://10.0.2.2:\(server.port)/boot.ipxe", "-device",
                "virtio-net-pci,netdev=net0,bootindex=0,mac=\(hardwareAddress)",
            ], in: folder, log: folder.appending("qemu.log"))
        for _ in 0..<360 {
            let asked = try await server.requests().map { "\($0.path) \($0.status)" }
            try await meanwhile(asked)
            if asked.count >= paths.count || !machine.isRunning { return asked }
            try await Task.sleep(for: .milliseconds(500))
        }
        return try await server.requests().map { "\($0.path) \($0.status)" }
    }

    private func overlay(_ version: String, _ name: String, _ status: Int) -> String {
        "/\(version)/overlays/\(name.split(separator: ":").joined(separator: "%3A")).cpio \(status)"
    }

    @Test(arguments: [true, false]) func `a node is started by its card or by its UUID`(isCard: Bool) async throws {
        let scratch = try Scratch()
        let server = try await Nginx(in: scratch)
        try await publish("1.0.0", in: scratch.path, for: server)
        let card = isCard ? "52:54:00:12:34:01" : "52:54:00:99:99:99"
        let uuid = isCard ? Self.other : Self.uuid
        let wanted =
            ["/boot.ipxe 200", overlay("1.0.0", card, isCard ? 200 : 404)]
            + (isCard ? [] : [overlay("1.0.0", uuid, 200)]) + ["/1.0.0/vmlinuz-virt 200"]
        let asked = try await requests(of: card, uuid, to: server, in: scratch.path, until: wanted)
        #expect(Array(asked.prefix(wanted.count)) == wanted)
    }

    @Test func `another machine gets no kernel, and asks again for what is published by then`() async throws {
        let scratch = try Scratch()
        let server = try await Nginx(in: scratch)
        try await publish("1.0.0", in: scratch.path, for: server)
        let foreign = "52:54:00:99:99:99"
        func round(_ version: String) -> [String] {
            ["/boot.ipxe 200", overlay(version, foreign, 404), overlay(version, Self.other, 404)]
        }
        let wanted = round("1.0.0") + round("2.0.0")
        var isNewer = false
        let asked = try await requests(
            of: foreign, Self.other, to: server, in: scratch.path, until: wanted
        ) { asked in
            guard asked.count == 3, !isNewer else { return }
            isNewer = true
            try await publish("2.0.0", in: scratch.path, for: server)
        }
        #expect(asked == wanted)
    }
}
