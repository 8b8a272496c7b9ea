import SystemPackage
import TestSupport
import Testing

/// The whole of a release pipeline, with a boot.
@Suite(.boots(1)) struct PipelineBootTests {
    @Test func `the example for a plain shell ends with a node that was healthy`() async throws {
        let scratch = try Scratch()
        let cpus = "exec \"$here/ksbuild-itself\" \"$@\" --cpus \(BootScenario.processors)"
        let pipeline = try await Pipeline(in: scratch, booting: cpus)
        let result = try await pipeline.run("shell")
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        let report = try await run(
            "xmllint",
            [
                "--noout", "--schema", Product.checkout.pushing("Tests/Contracts/junit.xsd").string,
                pipeline.project.appending("boot.xml").string,
            ])
        #expect(report.succeeded, "\(report.errors)")
    }
}
