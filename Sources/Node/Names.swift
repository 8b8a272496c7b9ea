/// Host names as RFC 1123 §2.1 allows them, in lower case because Kubernetes takes no other.
public enum HostName {
    /// The longest label, RFC 1035 §2.3.4.
    public static let maximumLabelBytes = 63
    /// The longest name that Linux takes (`HOST_NAME_MAX`).
    public static let maximumBytes = 64

    /// Says what keeps a text from being a host name.
    ///
    /// - Returns: A predicate such as "is empty", or `nil` where nothing is wrong.
    public static func problem(with text: String) -> String? {
        labelProblem(text, maximumBytes: maximumBytes)
    }

    fileprivate static func labelProblem(_ text: String, maximumBytes: Int) -> String? {
        guard !text.isEmpty else { return "is empty" }
        if text.utf8.contains(where: { (65...90).contains($0) }) { return "holds capital letters" }
        guard text.utf8.allSatisfy({ isLetterOrDigit($0) || $0 == hyphen || $0 == dot }) else {
            return "holds a character other than a-z, 0-9, '-' and '.'"
        }
        for label in text.utf8.split(separator: dot, omittingEmptySubsequences: false) {
            guard !label.isEmpty else { return "has an empty label" }
            guard label.count <= maximumLabelBytes else {
                return "has a label of \(label.count) bytes (the most is \(maximumLabelBytes))"
            }
            if label.first == hyphen || label.last == hyphen { return "has a label that begins or ends with '-'" }
        }
        guard text.utf8.count <= maximumBytes else {
            return "is \(text.utf8.count) bytes long (the most is \(maximumBytes))"
        }
        return nil
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool { (97...122).contains(byte) || (48...57).contains(byte) }
}

/// Domain names for the search list of `/etc/resolv.conf`.
public enum DomainName {
    /// The longest name in its textual form, RFC 1035 §2.3.4.
    public static let maximumBytes = 253

    /// Says what keeps a text from being a domain name.
    ///
    /// - Returns: A predicate such as "is empty", or `nil` where nothing is wrong.
    public static func problem(with text: String) -> String? {
        HostName.labelProblem(text, maximumBytes: maximumBytes)
    }
}

/// Names of network interfaces as Linux takes them.
public enum InterfaceName {
    /// The longest name: `IFNAMSIZ` without its NUL.
    public static let maximumBytes = 15

    /// Names that mean something else: the loop-back interface and the two wildcards of `/proc/sys/net`.
    public static let reserved: Set<String> = ["lo", "all", "default"]

    /// Says what keeps a text from naming an interface.
    ///
    /// The kernel takes more characters; these are the ones that no configuration format has to quote.
    ///
    /// - Returns: A predicate such as "is empty", or `nil` where nothing is wrong.
    public static func problem(with text: String) -> String? {
        guard let first = text.utf8.first else { return "is empty" }
        guard text.utf8.count <= maximumBytes else {
            return "is \(text.utf8.count) bytes long (the most is \(maximumBytes))"
        }
        let isPlain = text.utf8.allSatisfy {
            (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_")
                || $0 == dot || $0 == hyphen
        }
        guard isPlain, first != dot, first != hyphen else {
            return "holds a character other than A-Z, a-z, 0-9, '_', '.' and '-', or begins with one of the last two"
        }
        switch text {
        case "lo": return "is the loop-back interface, which every node has"
        case "all", "default": return "is a wildcard to the kernel"
        default: return nil
        }
    }
}

private let hyphen = UInt8(ascii: "-")
private let dot = UInt8(ascii: ".")
