/// The extended headers before a member: pax records, GNU's long name and long target, each at most once.
struct ExtendedHeaders {
    var records: PaxRecords?
    var longName: [UInt8]?
    var longLink: [UInt8]?

    var isEmpty: Bool { records == nil && longName == nil && longLink == nil }

    /// What no tar program writes and readers understand differently, if anything.
    ///
    /// Of two names, busybox takes the later one and others the record. An empty record is an empty name to busybox and
    /// none by the letter of POSIX.
    var ambiguity: String? {
        for (key, other) in [("path", longName), ("linkpath", longLink)] {
            guard let value = records?.stored(key) else { continue }
            if value.isEmpty { return "an empty pax record '\(key)'" }
            if other != nil { return "both a pax record '\(key)' and GNU's long form of it before one member" }
        }
        return nil
    }
}
