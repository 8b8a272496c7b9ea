import Artefact
import ServerSupport
import SystemPackage
import TestSupport
import Testing
import Transfer

/// Settings with which a test waits for nothing.
func quick(retries: Int = 3) -> TransferSettings {
    var settings = TransferSettings(userAgent: "ksbuild-test")
    settings.backOff = .milliseconds(5)
    settings.retries = retries
    settings.stallSeconds = 1
    settings.connectSeconds = 5
    return settings
}

/// Fetches into `part` of a scratch folder.
@discardableResult
func fetch(
    _ address: String, into scratch: borrowing Scratch, _ expectation: TransferExpectation = TransferExpectation(),
    _ settings: TransferSettings = quick(), limit: UInt64 = 1 << 24, report: ((TransferEvent) -> Void)? = nil,
    isCancelled: @escaping () -> Bool = { false }
) throws -> Fetched {
    try Transfer(settings).fetch(
        address, into: scratch.path.appending("part"), expecting: expectation, limit: limit, report: report,
        isCancelled: isCancelled)
}

/// The bytes that are there.
func arrived(_ scratch: borrowing Scratch) throws -> [UInt8] {
    try HostFile.read(scratch.path.appending("part"), limit: 1 << 24)
}

/// What a fetch that must fail says.
func failure(
    _ address: String, into scratch: borrowing Scratch, _ expectation: TransferExpectation = TransferExpectation(),
    _ settings: TransferSettings = quick(), limit: UInt64 = 1 << 24
) throws -> TransferError {
    do {
        try fetch(address, into: scratch, expectation, settings, limit: limit)
    } catch let error as TransferError {
        #expect(!error.description.contains("\n"))
        return error
    }
    Issue.record("\(address) was fetched")
    return TransferError(.invalidAddress, subject: address, detail: "was fetched")
}
