import ArgumentParser
import Artefact
import Glibc
import Recipe
import SystemPackage

/// The exit codes that scripts may rely on: `sysexits.h` where that has one.
enum ExitStatus {
    /// The exit code for a class of failure.
    static func code(_ failure: FailureClass) -> Int32 {
        switch failure {
        case .findings: 1
        case .unhealthy: 3
        case .usage: 64
        case .data: 65
        case .noInput: 66
        case .unavailable: 69
        case .software: 70
        case .cannotCreate: 73
        case .io: 74
        case .busy: 75
        case .permission: 77
        case .interrupted: 130
        }
    }

    /// Says on standard error what ended the command, and ends it with the code that belongs to it.
    static func end(with error: any Error) -> Never {
        switch error {
        case let faults as RecipeFaults:
            for line in faults.description.split(separator: "\n") { Console.error("ksbuild: \(line)") }
            exit(code(faults.failureClass))
        case let failure as any Failure:
            Console.error("ksbuild: \(printable(failure.description))")
            exit(code(failure.failureClass))
        case let outcome as Outcome:
            exit(code(outcome.failureClass))
        case let errno as Errno:
            Console.error("ksbuild: \(errno.description)")
            exit(code(.io))
        default:
            let status = KSBuild.exitCode(for: error)
            // Help and the version are no errors; they go to standard output.
            if status.isSuccess { KSBuild.exit(withError: error) }
            let isUsage = status == .validationFailure
            let hint = isUsage ? "; see 'ksbuild --help'" : ""
            Console.error("ksbuild: \(printable(KSBuild.message(for: error)))\(hint)")
            exit(isUsage ? code(.usage) : code(.software))
        }
    }
}

/// The end of a command that did its work and has something to tell by its exit code; what, it has printed itself.
struct Outcome: Error {
    /// What the exit code says.
    let failureClass: FailureClass
}
