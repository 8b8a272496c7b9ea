/// What one transfer is to bring, and who is told of it.
struct TransferTask {
    let settings: TransferSettings
    let address: Address
    let expectation: TransferExpectation
    let limit: UInt64
    let report: ((TransferEvent) -> Void)?
    let isCancelled: () -> Bool
    var connections: Connections?

    /// The most bytes that the file may have.
    var largest: UInt64 { min(limit, expectation.size ?? .max) }

    var cancelled: TransferError {
        TransferError(
            .cancelled, subject: address.shown, detail: "stopped; the next attempt goes on from what is there")
    }
}
