import TestSupport
import Testing

@testable import Machine

@Suite struct SerialDecoderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let input: String
        let lines: [String]
        var partial = ""

        var testDescription: String { name }
    }

    static let cases = [
        Case(name: "plain lines", input: "a\nb\n", lines: ["a", "b"]),
        Case(name: "carriage returns", input: "a\r\nb\r\r\n\r\nc\r\n", lines: ["a", "b", "c"]),
        Case(name: "a line that is written over", input: "10%\r20%\rdone\n", lines: ["10%", "20%", "done"]),
        Case(name: "a prompt", input: "x\nlogin: ", lines: ["x"], partial: "login: "),
        Case(name: "colours", input: "\u{1b}[32;01m*\u{1b}[0m ok\n", lines: ["* ok"]),
        Case(name: "a title", input: "\u{1b}]0;title\u{07}a\u{1b}]0;t\u{1b}\\b\n", lines: ["ab"]),
        Case(name: "a character set", input: "\u{1b}(Ba\u{1b}cb\n", lines: ["ab"]),
        Case(name: "an escape that does not end", input: "a\u{1b}\nb\u{1b}[3\nc\n", lines: ["a", "b", "c"]),
        Case(name: "control characters", input: "a\u{00}\u{07}\u{08}b\u{7f}\u{9b}c\n", lines: ["abc"]),
        Case(
            name: "the kernel in the middle of a fact",
            input: "ksbuild: data state=mo[    1.234567] usb 1-1: new\r\nunted label=K\r\n",
            lines: ["[    1.234567] usb 1-1: new", "ksbuild: data state=mounted label=K"]),
        Case(
            name: "the kernel twice in the middle of a fact",
            input: "ksbuild: data state=mo[    1.234567] one\r\n[    1.234568] two\r\nunted label=K\r\n",
            lines: ["[    1.234567] one", "[    1.234568] two", "ksbuild: data state=mounted label=K"]),
        Case(
            name: "the kernel between a fact and its line end",
            input: "ksbuild: data state=mounted[   11.234567] one\r\n\r\nnext\r\n",
            lines: ["[   11.234567] one", "ksbuild: data state=mounted", "next"]),
        Case(
            name: "the kernel after other text", input: "boot:[    1.234567] one\r\ntwo\r\n",
            lines: ["boot:[    1.234567] one", "two"]),
        Case(
            name: "brackets that are not the kernel's", input: "ksbuild: a b=[1] [ 2.5] c=d\n",
            lines: ["ksbuild: a b=[1] [ 2.5] c=d"]),
        Case(name: "bytes that are no text", input: "é✓\n", lines: ["é✓"]),
    ]

    @Test(arguments: cases) func `a stream becomes lines`(_ example: Case) {
        var decoder = SerialDecoder()
        #expect(decoder.take(example.input.utf8) == example.lines)
        #expect(decoder.partial == example.partial)
    }

    @Test(arguments: cases) func `pieces of any size give the same lines`(_ example: Case) {
        let bytes = Array(example.input.utf8)
        for seed in UInt64(1)...40 {
            var generator = SeededGenerator(seed: seed)
            var decoder = SerialDecoder()
            var lines: [String] = []
            var start = 0
            while start < bytes.count {
                let end = min(bytes.count, start + Int.random(in: 1...7, using: &generator))
                lines += decoder.take(bytes[start..<end])
                start = end
            }
            #expect(lines == example.lines, "seed \(seed)")
            #expect(decoder.partial == example.partial, "seed \(seed)")
        }
    }

    @Test func `a line without end takes no more memory than its limit`() {
        var decoder = SerialDecoder()
        var count = 0
        for _ in 0..<1000 { count += decoder.take(repeatElement(UInt8(ascii: "x"), count: 1000)).count }
        #expect(count == 1_000_000 / SerialDecoder.lineLimit)
        #expect(decoder.partial.count <= SerialDecoder.lineLimit)
    }

    @Test func `random bytes are taken without harm`() {
        for seed in UInt64(1)...200 {
            var generator = SeededGenerator(seed: seed)
            var decoder = SerialDecoder()
            let alphabet =
                Array("\u{1b}[]0;m\r\n ksbuild: a=b\"\\1.234567 ".utf8) + [0, 7, 0x7f, 0x80, 0xc2, 0x9b, 0xff]
            let bytes = (0..<2000).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            for line in decoder.take(bytes) {
                let isPlain = line.unicodeScalars.allSatisfy { scalar in
                    scalar == "\t" || (scalar.value >= 0x20 && !(0x7f...0x9f).contains(scalar.value))
                }
                #expect(isPlain, "seed \(seed)")
                _ = SerialFact(line: line, time: .zero)
            }
        }
    }
}

@Suite struct SerialFactTests {
    @Test(arguments: [
        ("ksbuild: boot state=complete runlevel=default", "boot", ["state": "complete", "runlevel": "default"]),
        (
            "edge login: ksbuild: address interface=eth0 ipv4=10.0.2.15/24", "address",
            [
                "interface": "eth0", "ipv4": "10.0.2.15/24",
            ]
        ),
        (
            "ksbuild: data state=refused label=K reason=\"no \\\"disk\\\" \\\\ here\"", "data",
            [
                "state": "refused", "label": "K", "reason": "no \"disk\" \\ here",
            ]
        ),
        (
            "ksbuild: hostkey fingerprint=SHA256:a+b/c= state=", "hostkey",
            ["fingerprint": "SHA256:a+b/c=", "state": ""]
        ),
        ("ksbuild: old a=b ksbuild: new c=d  ", "new", ["c": "d"]),
    ]) func `a fact is read`(line: String, subject: String, fields: [String: String]) throws {
        let fact = try #require(SerialFact(line: line, time: .seconds(3)))
        #expect(fact.subject == subject)
        #expect(fact.time == .seconds(3))
        #expect(Dictionary(uniqueKeysWithValues: fact.fields.map { ($0.name, $0.value) }) == fields)
    }

    @Test(arguments: [
        "", "ksbuild", "ksbuild:", "ksbuild: ", "ksbuild: boot", "ksbuild:boot state=complete",
        "ksbuild: state=complete",
        "ksbuild: boot state", "ksbuild: boot state=a b", "ksbuild: boot state=\"a", "ksbuild: boot state=\"a\\",
        "ksbuild: boot state=a\"b", "ksbuild: boot =a", "ksbuild: boot state=\"a\"b=c", "ksbuild: böot state=a",
    ]) func `a line of another form is none`(line: String) { #expect(SerialFact(line: line, time: .zero) == nil) }
}

@Suite struct GuestFailureTests {
    @Test(arguments: [
        ("[    4.2] Kernel panic - not syncing: Attempted to kill init!", GuestFailure.Kind.kernelPanic),
        ("Mounting boot media failed.", .recoveryShell),
        ("initramfs emergency recovery shell launched. Type 'exit' to continue boot", .recoveryShell),
        ("/bin/sh: can't access tty; job control turned off", .recoveryShell),
        ("BdsDxe: No bootable option or device was found.", .nothingToBoot),
    ]) func `a boot that cannot go on is recognised`(line: String, kind: GuestFailure.Kind) {
        #expect(GuestFailure(line: line, time: .zero)?.kind == kind)
    }

    @Test func `an ordinary line is no failure`() {
        #expect(GuestFailure(line: " * Mounting boot media: ok.", time: .zero) == nil)
    }
}
