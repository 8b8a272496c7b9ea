import Artefact
import SystemPackage
import TestSupport
import Testing

@testable import Machine

@Suite struct BootReportTests {
    /// A report with one assertion of each state and text that no format likes.
    private func report(evidence: String = "data state=missing reason=\"<&>'\u{1b}[1m\u{07}\u{ffff}\r\n]]>\"")
        -> BootReport
    {
        BootReport(
            expectations: BootExpectations(name: "a<b>&\"c\"", version: "1.4.0", hostname: "edge-001"),
            results: [
                AssertionResult(
                    .overlayApplied, expected: .holds, state: .passed, elapsed: .milliseconds(31_250),
                    evidence: "release name=kubesolo version=1.4.0"),
                AssertionResult(
                    .dataMounted, expected: .holds, state: .failed, elapsed: .seconds(40), evidence: evidence),
                AssertionResult(
                    .bootComplete, expected: .holds, state: .failed, elapsed: nil, evidence: "not within 300.0 s"),
                AssertionResult(.sshReachable, expected: .notAsked, state: .skipped, elapsed: nil, evidence: ""),
            ],
            elapsed: .milliseconds(300_123), limit: .seconds(300), accelerator: .tcg, firmware: .bios,
            guestFailure: nil, serialLog: "/tmp/serial.log", consoleTail: ["one <&>", "two \u{1b}\u{00}"])
    }

    @Test func `the table has a line for each assertion and says how it ends`() {
        #expect(
            report(evidence: "data state=missing").table == """
                passed     31.2 s  overlay applied  release name=kubesolo version=1.4.0
                FAILED     40.0 s  data mounted     data state=missing
                FAILED          -  boot complete    not within 300.0 s
                skipped         -  ssh reachable
                last lines of the console:
                    one <&>
                    two \u{1b}\u{00}
                NOT healthy after 300.1 s (tcg, bios); console: /tmp/serial.log

                """)
    }

    @Test func `a report that is not as expected stands for an unhealthy node`() throws {
        let failure = try #require(report(evidence: "data state=missing").failure)
        #expect(failure.failureClass == .unhealthy)
        #expect(
            failure.description == "a<b>&\"c\" 1.4.0: failed 'data mounted' and 1 more (data state=missing);"
                + " the console is in /tmp/serial.log")
    }

    @Test func `the JUnit file is what its readers take, whatever the node says`() async throws {
        let scratch = try Scratch()
        let schema = Product.checkout.pushing("Tests/Contracts/junit.xsd").string
        let boots = [report(), report(evidence: "data state=missing")]
        for (name, text) in [("one.xml", boots[0].junit), ("two.xml", BootReport.junit(of: boots))] {
            let file = try scratch.file(name, text)
            let result = try await run("xmllint", ["--noout", "--schema", schema, file.string])
            #expect(result.succeeded, "\(result.errors)")
        }
    }

    @Test func `the JUnit file has the counts, cases and texts that its readers look for`() async throws {
        let scratch = try Scratch()
        let file = try scratch.file("report.xml", report().junit)
        let script = """
            import sys, xml.etree.ElementTree as E
            root = E.parse(sys.argv[1]).getroot()
            assert root.tag == "testsuites", root.tag
            suite, = root.findall("testsuite")
            cases = suite.findall("testcase")
            assert [child.tag for child in suite] == ["properties"] + ["testcase"] * 4 + ["system-out"]
            for node in (root, suite):
                assert int(node.get("tests")) == len(cases)
                assert int(node.get("failures")) == len(suite.findall("testcase/failure")) == 2
                assert int(node.get("errors")) == 0
                assert float(node.get("time")) == 300.123
            assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped")) == 1
            assert all(c.get("name") and c.get("classname") for c in cases)
            assert float(cases[0].get("time")) == 31.25
            assert suite.get("name") == 'ksbuild boot a<b>&"c" 1.4.0'
            failure = cases[1].find("failure")
            expected = 'data state=missing reason="<&>\\'\\ufffd[1m\\ufffd\\ufffd\\ufffd\\n]]>"'
            assert failure.get("message") == expected, ascii(failure.get("message"))
            assert failure.text == expected, ascii(failure.text)
            assert failure.get("type")
            assert suite.find("system-out").text == "one <&>\\ntwo \\ufffd\\ufffd"
            """
        let result = try await run("python3", ["-c", script, file.string])
        #expect(result.succeeded, "\(result.errors)")
    }

    @Test func `the JSON form is as its contract says`() async throws {
        let scratch = try Scratch()
        let file = try scratch.file("boot.json", try report().json)
        let check = Product.checkout.pushing("Tests/Contracts/check")
        let result = try await run(check.string, ["boot=\(file)"])
        #expect(result.succeeded, "\(result.output)\(result.errors)")
    }

    @Test func `the JSON form of an upgrade is as its contract says`() async throws {
        let scratch = try Scratch()
        let upgrade = UpgradeReport(outcome: .returned, boots: [report(), report(evidence: "x")])
        let file = try scratch.file("upgrade.json", try upgrade.json)
        let check = Product.checkout.pushing("Tests/Contracts/check")
        let result = try await run(check.string, ["boot-upgrade=\(file)"])
        #expect(result.succeeded, "\(result.output)\(result.errors)")
    }

    @Test func `the JSON form has every assertion with its time in seconds`() async throws {
        let script = """
            import sys, json
            report = json.load(sys.stdin)
            assert report["healthy"] is False and report["elapsed"] == 300.123
            assert [a["state"] for a in report["assertions"]] == ["passed", "failed", "failed", "skipped"]
            assert report["assertions"][0]["elapsed"] == 31.25 and "elapsed" not in report["assertions"][2]
            """
        let json = try report().json
        let result = try await run("python3", ["-c", script], input: json)
        #expect(result.succeeded, "\(result.errors)")
    }
}

@Suite struct BootJudgeTests {
    private static let judge = BootJudge(
        expectations: BootExpectations(name: "kubesolo", version: "1.4.0", hostname: "edge-001"))

    private static func facts(_ lines: [String]) -> [SerialFact] {
        lines.enumerated().compactMap { SerialFact(line: "ksbuild: " + $1, time: .seconds($0)) }
    }

    @Test(arguments: [
        (BootAssertion.overlayApplied, ["release name=kubesolo version=1.4.0 hostname=x"], "holds"),
        (.overlayApplied, ["release name=kubesolo version=1.3.0 hostname=edge-001"], "refused"),
        (.overlayApplied, [], "pending"),
        (.hostname, ["release name=kubesolo version=1.4.0 hostname=edge-001"], "holds"),
        (.hostname, ["release name=kubesolo version=1.4.0 hostname=localhost"], "refused"),
        (.networkAddress, ["address interface=eth0 ipv4=10.0.2.15/24"], "holds"),
        (.networkAddress, ["address interface=eth0 ipv4=169.254.1.1/16"], "pending"),
        (.networkAddress, ["address interface=eth0 ipv4="], "pending"),
        (.dataMounted, ["data state=mounted label=K"], "holds"),
        (.dataMounted, ["data state=missing label=K"], "refused"),
        (.dataMounted, ["data state=formatted label=K", "data state=refused label=K reason=x"], "refused"),
        (.hostKey, ["hostkey type=ssh-ed25519 fingerprint=SHA256:x state=kept"], "holds"),
        (.hostKey, ["hostkey type=ssh-ed25519 fingerprint=MD5:x state=kept"], "refused"),
        (.binaryStaged, ["stage state=ready digest=00"], "holds"),
        (.binaryStaged, ["stage state=refused digest=00 reason=x"], "refused"),
        (.kubesoloStarted, ["kubesolo state=waiting version=v1.2.2"], "pending"),
        (.kubesoloStarted, ["kubesolo state=starting version=v1.2.2"], "holds"),
        (.kubesoloHealthy, ["health state=unhealthy version=v1.2.2"], "pending"),
        (.kubesoloHealthy, ["health state=unhealthy version=v1.2.2", "health state=healthy version=v1.2.2"], "holds"),
        (
            .kubesoloHealthy, ["health state=healthy version=v1.2.2", "health state=unhealthy version=v1.2.2"],
            "pending"
        ),
        (.kubesoloHealthy, ["kubesolo state=refused version=v1.2.2 reason=x"], "refused"),
        (.bootComplete, ["boot state=complete runlevel=default"], "holds"),
    ]) func `the latest fact decides`(assertion: BootAssertion, lines: [String], expected: String) {
        let verdict = Self.judge.verdict(assertion, Self.facts(lines)).0
        switch verdict {
        case .pending: #expect(expected == "pending")
        case .holds: #expect(expected == "holds")
        case .refused: #expect(expected == "refused")
        }
    }

    @Test func `a static address and the origin of the host key can be expected`() {
        var expectations = Self.judge.expectations
        expectations.address = "192.0.2.10/24"
        expectations.hostKeyState = "kept"
        let judge = BootJudge(expectations: expectations)
        let other = Self.facts(["address interface=eth0 ipv4=10.0.2.15/24", "hostkey fingerprint=SHA256:x state=made"])
        let same = Self.facts(["address interface=eth0 ipv4=192.0.2.10/24", "hostkey fingerprint=SHA256:x state=kept"])
        #expect(judge.verdict(.networkAddress, other).0.evidence.hasSuffix("; expected ipv4=192.0.2.10/24"))
        #expect(judge.verdict(.hostKey, other).0 == .refused("\(other[1]); expected state=kept"))
        #expect(judge.verdict(.networkAddress, same).0 == .holds("\(same[0])"))
        #expect(judge.verdict(.hostKey, same).0 == .holds("\(same[1])"))
    }
}
