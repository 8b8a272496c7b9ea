internal import Crypto
internal import FoundationEssentials

/// The name that an index gives to one build of a package (`C:`).
enum PackageIdentity {
    /// `Q1` and the SHA-1 of the control stream, as it is compressed, in base 64.
    static func of(_ control: ArraySlice<UInt8>) -> String {
        "Q1" + Data(Insecure.SHA1.hash(data: control)).base64EncodedString()
    }
}

extension PackageIndex.Package {
    /// The SHA-1 in ``identity`` as 40 hexadecimal digits; `nil` where that is of another kind.
    public var controlSHA1: String? {
        guard identity.hasPrefix("Q1"), let data = Data(base64Encoded: String(identity.dropFirst(2))), data.count == 20
        else { return nil }
        let digits = Array("0123456789abcdef")
        return String(data.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
