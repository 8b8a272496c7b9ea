// swift-tools-version: 6.2
import PackageDescription

/// One list for every target: Swift 6 mode, the upcoming features that make imports and existentials explicit, every
/// pointer use marked `unsafe`, and no warning left standing.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["TestSupport", "Artefact", system], swiftSettings: settings)
}

let package = Package(
    name: "ksbuild",
    products: [
        .executable(name: "ksbuild", targets: ["ksbuild"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CLinux"),
        room("Artefact", ["CLinux", system, crypto]),
        room("Archive", ["Artefact", "CArchive", "CZlib", system]),
        room("Node", ["Artefact", system]),
        room("APKOVL", ["Artefact", "Archive", "Node", system]),
        room("ISOBuild", ["Artefact", system]),
        room("CloudInit", ["Artefact", "ISOBuild", "Node", system, yams]),
        room("Transfer", ["Artefact", "CCurl", system]),
        room(
            "Upstream",
            ["Artefact", "Archive", "ISOBuild", "Node", "Transfer", system, crypto, cryptoExtras, yams, subprocess]),
        room("Attestation", ["Artefact", "Node", system, crypto]),
        room("Bundle", ["Artefact", "Attestation", system, crypto]),
        room(
            "Recipe",
            [
                "Artefact", "Archive", "Node", "APKOVL", "ISOBuild", "CloudInit", "Upstream", "Attestation", "Bundle",
                system,
                yams,
            ]),
        room(
            "Diff",
            ["Artefact", "Archive", "Node", "APKOVL", "ISOBuild", "CloudInit", "Upstream", "Bundle", "Recipe", system]),
        room("Netboot", ["Artefact", "Archive", "ISOBuild", "Bundle", system]),
        room("Fetch", ["Artefact", "Node", "Transfer", "Upstream", "Recipe", system]),
        room("Registry", ["Artefact", "Transfer", system, subprocess]),
        room("Publish", ["Artefact", "Bundle", "Registry", "Transfer", system]),
        room("Machine", ["Artefact", "CLinux", system, yams, subprocess]),
        .executableTarget(
            name: "ksbuild",
            dependencies: [
                "Artefact", "Archive", "Node", "APKOVL", "ISOBuild", "CloudInit", "Upstream", "Attestation", "Bundle",
                "Recipe", "Fetch", "Transfer", "Diff", "Registry", "Publish", "Netboot", "Machine", "CLinux", system,
                arguments,
            ],
            swiftSettings: settings),

        .target(
            name: "TestSupport", dependencies: ["Artefact", system, subprocess], path: "Tests/TestSupport",
            swiftSettings: settings),
        .target(
            name: "BundleSamples", dependencies: ["Artefact", "Bundle", "TestSupport", system],
            path: "Tests/BundleSamples", swiftSettings: settings),
        .executableTarget(
            name: "store-exercise", dependencies: ["Artefact", "Bundle", "BundleSamples", system],
            path: "Tests/StoreExercise", swiftSettings: settings),
        .executableTarget(
            name: "fetch-exercise", dependencies: ["Artefact", "Transfer", "Upstream", system],
            path: "Tests/FetchExercise", swiftSettings: settings),
        .target(
            name: "ServerSupport", dependencies: ["Artefact", "TestSupport", system, subprocess],
            path: "Tests/ServerSupport", swiftSettings: settings),
        .target(
            name: "MachineSamples",
            dependencies: ["Artefact", "Bundle", "BundleSamples", "ISOBuild", "TestSupport", system],
            path: "Tests/MachineSamples", swiftSettings: settings),
        .target(
            name: "LibvirtSupport", dependencies: ["Artefact", "TestSupport", system, subprocess],
            path: "Tests/LibvirtSupport", swiftSettings: settings),
        tests("ArtefactTests", []),
        tests("ArchiveTests", ["Archive"]),
        tests("NodeTests", ["Node"]),
        tests("APKOVLTests", ["APKOVL", "Archive", "Node"]),
        tests("ISOBuildTests", ["ISOBuild"]),
        tests("CloudInitTests", ["CloudInit", "ISOBuild", "Node", yams]),
        tests("TransferTests", ["Transfer", "ServerSupport"]),
        tests(
            "UpstreamTests", ["Upstream", "Archive", "ISOBuild", "Node", "Transfer", "ServerSupport", "fetch-exercise"]),
        tests("AttestationTests", ["Attestation", "Node"]),
        tests("BundleTests", ["Bundle", "BundleSamples", "store-exercise"]),
        tests("RecipeTests", ["Recipe", "Node", "APKOVL", "Upstream", "Bundle", yams]),
        tests("RegistryTests", ["Registry", "Transfer", "ServerSupport"]),
        tests(
            "PublishTests",
            ["Publish", "Registry", "Bundle", "BundleSamples", "Transfer", "ServerSupport", "ksbuild"]),
        tests("MachineTests", ["Machine", "ServerSupport"]),
        tests("VMTests", ["ksbuild", "Bundle", "LibvirtSupport", "MachineSamples", "Machine"]),
        tests("CommandTests", ["ksbuild", "Bundle", "BundleSamples", "MachineSamples", "ServerSupport"]),
        tests("BootTests", ["ksbuild", "Bundle", "ISOBuild", "Machine", "MachineSamples", "ServerSupport"]),
    ]
)
