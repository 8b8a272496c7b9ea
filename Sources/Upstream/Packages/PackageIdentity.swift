internal import Crypto
internal import FoundationEssentials

/// The name that an index gives to one build of a package (`C:`).
enum PackageIdentity {
    /// `Q1` and the SHA-1 of the control stream, as it is compressed, in base 64.
    static func of(_ control: ArraySlice<UInt8>) -> String {
        "Q1" + Data(Insecure.SHA1.hash(data: control)).base64EncodedString()
    }
}
