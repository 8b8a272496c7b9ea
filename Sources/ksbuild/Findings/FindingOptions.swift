import ArgumentParser

/// The forms in which a command that finds faults can tell of them.
struct FindingOptions: ParsableArguments {
    @Flag(name: .long, help: "Print one JSON document.")
    var json = false

    @Flag(name: .long, help: "Print what is wrong as a log of SARIF 2.1.0.")
    var sarif = false

    func validate() throws {
        if json && sarif { throw ValidationError("--json and --sarif exclude each other") }
    }
}
