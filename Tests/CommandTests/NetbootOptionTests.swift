import TestSupport
import Testing

/// What `boot --netboot` cannot go with is told before anything is read.
struct NetbootOptionTests {
    @Test(arguments: [
        ("--two-media", "--netboot boots from no medium"), ("--attach=usb", "--netboot boots from no medium"),
        ("--uefi", "--netboot boots under BIOS"),
    ]) func `a machine that boots over the network has no medium and no UEFI`(
        option: String, message: String
    ) async throws {
        let scratch = try Scratch()
        let result = try await ksbuild(
            "boot", "1.0.0", "--netboot", "http://10.0.2.2/boot.ipxe", option, in: scratch.path)
        #expect(result.exitCode == 64)
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test func `an upgrade does not boot over the network`() async throws {
        let scratch = try Scratch()
        let result = try await ksbuild(
            "boot", "--upgrade-from", "1.0.0", "--to", "1.1.0", "--netboot", "http://10.0.2.2/boot.ipxe",
            in: scratch.path)
        #expect(result.exitCode == 64)
        #expect(result.errors.contains("leave --upgrade-from and --to out"), "\(result.errors)")
    }
}
