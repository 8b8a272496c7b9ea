internal import Glibc

/// An IPv4 or IPv6 address, held as its bytes in network order.
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// The two families.
    public enum Family: Hashable, Sendable {
        /// 32 bits, dotted decimal.
        case ipv4
        /// 128 bits, RFC 4291.
        case ipv6

        /// The width of an address in bits.
        public var bits: Int { self == .ipv4 ? 32 : 128 }
    }

    /// 4 or 16 bytes in network order.
    public let bytes: [UInt8]

    /// Which family the address belongs to.
    public var family: Family { bytes.count == 4 ? .ipv4 : .ipv6 }

    /// Takes an address in the strict textual forms of `inet_pton`: four decimal numbers, or RFC 4291 §2.2 without a zone.
    ///
    /// - Returns: `nil` for anything else.
    public init?(_ text: String) {
        guard text.utf8.allSatisfy({ $0 != 0 }) else { return nil }
        let isV6 = text.utf8.contains(UInt8(ascii: ":"))
        var bytes = [UInt8](repeating: 0, count: isV6 ? 16 : 4)
        let result = unsafe text.withCString { name in
            unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe inet_pton(isV6 ? AF_INET6 : AF_INET, name, buffer.baseAddress)
            }
        }
        guard result == 1 else { return nil }
        self.bytes = bytes
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// The canonical text: dotted decimal, or RFC 5952 as `inet_ntop` writes it.
    public var description: String {
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let isV6 = family == .ipv6
        let count = buffer.count
        unsafe bytes.withUnsafeBytes { source in
            unsafe buffer.withUnsafeMutableBufferPointer { target in
                unsafe _ = inet_ntop(
                    isV6 ? AF_INET6 : AF_INET, source.baseAddress, target.baseAddress, socklen_t(count))
            }
        }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The address with all but the first `prefixLength` bits cleared.
    public func network(prefixLength: Int) -> IPAddress {
        var masked = bytes
        for index in masked.indices {
            let kept = min(8, max(0, prefixLength - index * 8))
            masked[index] &= UInt8(truncatingIfNeeded: 0xff00 >> kept)
        }
        return IPAddress(bytes: masked)
    }

    /// Whether it is `0.0.0.0` or `::`.
    public var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }

    /// Whether it belongs to this host alone: `127.0.0.0/8` or `::1`.
    public var isLoopback: Bool {
        family == .ipv4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
    }

    /// Whether it is a multicast address: `224.0.0.0/4` or `ff00::/8`.
    public var isMulticast: Bool { family == .ipv4 ? bytes[0] & 0xf0 == 0xe0 : bytes[0] == 0xff }

    /// Whether it holds on one link only: `169.254.0.0/16` or `fe80::/10`.
    public var isLinkLocal: Bool {
        family == .ipv4 ? bytes[0] == 169 && bytes[1] == 254 : bytes[0] == 0xfe && bytes[1] & 0xc0 == 0x80
    }
}

/// An address together with the length of its network prefix, such as `192.0.2.10/24`.
public struct InterfaceAddress: Hashable, Sendable, CustomStringConvertible {
    /// The host's address.
    public let address: IPAddress
    /// The length of the network prefix in bits.
    public let prefixLength: Int

    /// Takes `ADDRESS/LENGTH`.
    ///
    /// - Returns: `nil` for anything else, also for a length of 0 or one the family does not have.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])) else { return nil }
        guard parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let length = Int(parts[1]), (1...address.family.bits).contains(length)
        else { return nil }
        self.address = address
        prefixLength = length
    }

    /// Whether `other` is in the network of this address.
    public func contains(_ other: IPAddress) -> Bool {
        other.family == address.family
            && other.network(prefixLength: prefixLength) == address.network(prefixLength: prefixLength)
    }

    /// `ADDRESS/LENGTH` in canonical form.
    public var description: String { "\(address)/\(prefixLength)" }
}
