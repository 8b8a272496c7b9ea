/// Why a libvirt daemon did not answer, read from what `virsh` said in English.
public enum LibvirtRefusal: Hashable, Sendable {
    /// Nobody listens on the socket, or it is not there.
    case notRunning
    /// The socket, or polkit behind it, turns this user away.
    case notPermitted
    /// polkit is to decide whether this user may, and does not run, or the bus to it.
    case noPolkit
    /// Something else.
    case other(String)

    /// Reads the message of a `virsh` that failed to connect.
    public init(message: String) {
        let says = { (words: String) in message.contains(words) }
        if says("system bus connection") {
            self = .noPolkit
        } else if says("Permission denied") || says("authentication failed") || says("authentication unavailable")
            || says("authentication required") || says("access denied")
        {
            self = .notPermitted
        } else if says("Failed to connect socket") || says("Connection refused") || says("Cannot recv data") {
            self = .notRunning
        } else {
            self = .other(message)
        }
    }
}
