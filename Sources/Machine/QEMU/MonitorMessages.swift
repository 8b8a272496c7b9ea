/// A command for QEMU's monitor without a number (QEMU Machine Protocol).
struct MonitorRequest<Arguments: Encodable>: Encodable {
    let execute: String
    let arguments: Arguments
}

/// The value inside an answer of QEMU's monitor.
struct MonitorReturn<Value: Decodable>: Decodable {
    let value: Value

    private enum CodingKeys: String, CodingKey { case value = "return" }
}

/// No arguments for a command of QEMU's monitor, or an answer whose value does not matter.
public struct MonitorNothing: Codable, Hashable, Sendable {
    /// Nothing.
    public init() {}
    /// Takes any value.
    public init(from decoder: any Decoder) {}
}
