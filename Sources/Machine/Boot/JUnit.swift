internal import SystemPackage

extension BootReport {
    /// The report in the XML that continuous integration reads as JUnit's: one suite, one case an assertion.
    ///
    /// Characters that XML 1.0 cannot hold (§2.2) are replaced; the last lines of the console are `system-out`.
    public var junit: String { Self.junit(of: [self]) }

    /// Several boots in one report, one suite each.
    ///
    /// Its form is the common part of what Jenkins' xUnit plugin (`junit-10.xsd`) and GitLab take: there, `testsuites` counts
    /// no skipped cases.
    public static func junit(of reports: [BootReport]) -> String {
        let lines =
            [
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
                "<testsuites name=\"ksbuild boot\" \(counts(of: reports, withSkipped: false))>",
            ] + reports.flatMap(\.suite) + ["</testsuites>"]
        return lines.map { $0 + "\n" }.joined()
    }

    private static func counts(of reports: [BootReport], withSkipped: Bool = true) -> String {
        let results = reports.flatMap(\.results)
        let failures = results.filter { $0.state == .failed }.count
        let skipped = results.filter { $0.state == .skipped }.count
        let time = reports.reduce(Duration.zero) { $0 + $1.elapsed }
        return "tests=\"\(results.count)\" failures=\"\(failures)\" errors=\"0\""
            + (withSkipped ? " skipped=\"\(skipped)\"" : "") + " time=\"\(time.milliseconds)\""
    }

    private var suite: [String] {
        let name = XMLText.attribute("ksbuild boot \(expectations.name) \(expectations.version)")
        var lines = [
            "  <testsuite name=\(name) \(Self.counts(of: [self]))>",
            "    <properties>",
            property("accelerator", accelerator.rawValue),
            property("firmware", firmware.rawValue),
            property("serialLog", serialLog.string),
            "    </properties>",
        ]
        for result in results { lines += testCase(result) }
        lines.append("    <system-out>\(XMLText.escaped(consoleTail.joined(separator: "\n")))</system-out>")
        lines.append("  </testsuite>")
        return lines
    }

    private func property(_ name: String, _ value: String) -> String {
        "      <property name=\"\(name)\" value=\(XMLText.attribute(value))/>"
    }

    private func testCase(_ result: AssertionResult) -> [String] {
        let name = XMLText.attribute(result.assertion.rawValue)
        let time = result.elapsed.map { " time=\"\($0.milliseconds)\"" } ?? ""
        let open = "    <testcase classname=\(XMLText.attribute("boot.\(expectations.name)")) name=\(name)\(time)"
        switch result.state {
        case .passed: return [open + "/>"]
        case .skipped: return [open + "><skipped/></testcase>"]
        case .failed:
            let kind = XMLText.attribute("expected to \(result.expected == .refused ? "be refused" : "hold")")
            let message = XMLText.attribute(result.evidence)
            let text = XMLText.escaped(guestFailure?.description ?? result.evidence)
            return [open + ">", "      <failure message=\(message) type=\(kind)>\(text)</failure>", "    </testcase>"]
        }
    }
}

/// Text as XML holds it.
enum XMLText {
    /// Character data: markup escaped, characters that XML does not have replaced by U+FFFD.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "\t", "\n": escaped.unicodeScalars.append(scalar)
            default: escaped.unicodeScalars.append(isCharacter(scalar) ? scalar : "\u{fffd}")
            }
        }
        return escaped
    }

    /// An attribute's value in double quotes; line ends and tabs survive as references (§3.3.3).
    static func attribute(_ text: String) -> String {
        var value = ""
        for character in escaped(text).unicodeScalars {
            switch character {
            case "\n": value += "&#10;"
            case "\t": value += "&#9;"
            default: value.unicodeScalars.append(character)
            }
        }
        return "\"\(value)\""
    }

    /// `Char` of XML 1.0 §2.2, without the discouraged control characters of ISO 8859.
    private static func isCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7e, 0xa0...0xd7ff, 0xe000...0xfffd, 0x1_0000...0x10_ffff: true
        default: false
        }
    }
}
