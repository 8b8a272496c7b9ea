internal import Artefact
internal import Node
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

struct DirectoryMirrorTests {
    private static let image = UpstreamInput.alpineImage(AlpineRelease(version: "3.23.6", flavor: .virt), .x86_64)

    private static func asset(_ version: String) throws -> UpstreamInput {
        let version = try #require(KubeSoloVersion(version))
        return .kubeSolo(KubeSoloAsset(KubeSolo(version: version, variant: .offline), .aarch64))
    }

    @Test func `inputs are found in upstream's layout, with and without a directory for each upstream`() throws {
        let scratch = try Scratch()
        let mirror = DirectoryMirror(root: scratch.path)
        let image = try scratch.file("v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso", "flat")
        #expect(try mirror.locate(Self.image) == image)
        let nested = try scratch.file("alpine/v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso", "nested")
        #expect(try mirror.locate(Self.image) == nested)
        let asset = try scratch.file("kubesolo/v1.2.2/kubesolo-v1.2.2-linux-arm64-musl-offline.tar.gz", "asset")
        #expect(try mirror.locate(Self.asset("v1.2.2")) == asset)
    }

    @Test func `the lab is a mirror`() throws {
        #expect(try DirectoryMirror(root: Product.mirror).locate(Self.image) == Lab.alpineImage)
    }

    @Test func `what is not there is said with the places that were looked at and what is there instead`() throws {
        let scratch = try Scratch()
        let root = scratch.path.string
        let mirror = DirectoryMirror(root: scratch.path)
        func message(_ input: UpstreamInput) -> String {
            let error = #expect(throws: UpstreamError.self) { try mirror.locate(input) }
            #expect(error?.code == .notFound && error?.failureClass == .noInput)
            return error?.description ?? ""
        }
        let path = "v3.23/releases/x86_64/alpine-virt-3.23.6-x86_64.iso"
        #expect(
            message(Self.image)
                == "\(root): the mirror does not hold alpine-virt-3.23.6-x86_64.iso "
                + "(looked for \(root)/alpine/\(path) and \(root)/\(path))")
        try scratch.file("alpine/v3.22/releases/x86_64/alpine-virt-3.22.1-x86_64.iso", "x")
        #expect(message(Self.image).hasSuffix("; it has v3.22 but no v3.23"))
        try scratch.file("alpine/v3.23/releases/x86_64/alpine-virt-3.23.5-x86_64.iso", "x")
        #expect(message(Self.image).hasSuffix("; there is alpine-virt-3.23.5-x86_64.iso"))
        try HostFile.makeDirectories(scratch.path.pushing(FilePath("alpine/\(path)")))
        #expect(message(Self.image).contains("does not hold"))
        try scratch.file("kubesolo/v1.2.1/kubesolo-v1.2.1-linux-arm64-musl-offline.tar.gz", "x")
        #expect(try message(Self.asset("v1.2.2")).hasSuffix("; it has v1.2.1 but no v1.2.2"))
    }

    @Test func `a mirror that is no directory is told apart from one that lacks a file`() throws {
        let scratch = try Scratch()
        let file = try scratch.file("mirror", "x")
        for root in [file, scratch.path.appending("none")] {
            let error = #expect(throws: UpstreamError.self) { try DirectoryMirror(root: root).locate(Self.image) }
            #expect(error?.description == "\(root): is no directory that could be a mirror")
        }
    }

    @Test(arguments: [
        "kubesolo-v1.2.2-linux-amd64.tar.gz", "kubesolo-v1.2.2-linux-arm64-musl.tar.gz",
        "kubesolo-v1.2.2-linux-riscv64-offline.tar.gz", "kubesolo-v1.2.2-linux-arm-musl-offline.tar.gz",
        "kubesolo-v1.3.0-rc.1-linux-amd64-musl-offline.tar.gz",
    ])
    func `the name of an asset is read and written back`(_ name: String) {
        #expect(KubeSoloAsset(name: name)?.description == name)
    }

    @Test(arguments: [
        "kubesolo", "kubesolo.tar.gz", "kubesolo-linux-amd64.tar.gz", "kubesolo-v1.2-linux-amd64.tar.gz",
        "kubesolo-v1.2.2-linux-amd64-offline-musl.tar.gz", "kubesolo-v1.2.2-darwin-amd64.tar.gz", "kubesolo-.tar.gz",
        "kubesolo-v1.2.2-linux-amd64-musl.zip", "kubesolo-v1.2.2-linux-x86_64.tar.gz", "kubesoloctl-linux-amd64", "",
        "kubesolo-tar.gz",
    ])
    func `a name of another form says nothing`(_ name: String) {
        #expect(KubeSoloAsset(name: name) == nil)
    }
}
