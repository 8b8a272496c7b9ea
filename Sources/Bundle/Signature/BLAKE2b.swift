/// BLAKE2b without a key (RFC 7693), which minisign hashes with and no library at hand has at 64 bytes.
package enum BLAKE2b {
    /// The digest of bytes.
    ///
    /// - Parameters:
    ///   - message: The bytes.
    ///   - length: The length of the digest in bytes, 1 to 64.
    /// - Returns: `length` bytes.
    package static func digest(of message: [UInt8], length: Int = 64) -> [UInt8] {
        precondition((1...64).contains(length), "BLAKE2b gives 1 to 64 bytes")
        var state = initial
        // The parameter block: the length of the digest, no key, one leaf in a tree without depth (RFC 7693 §2.5).
        state[0] ^= 0x0101_0000 ^ UInt64(length)
        var words = [UInt64](repeating: 0, count: 16)
        var start = 0
        repeat {
            let end = min(start + blockSize, message.count)
            for index in 0..<16 { words[index] = 0 }
            for index in start..<end {
                words[(index - start) >> 3] |= UInt64(message[index]) << UInt64(((index - start) & 7) * 8)
            }
            compress(&state, words, count: UInt64(end), isLast: end == message.count)
            start = end
        } while start < message.count
        return (0..<length).map { UInt8(truncatingIfNeeded: state[$0 >> 3] >> UInt64(($0 & 7) * 8)) }
    }

    private static let blockSize = 128

    /// The first 64 bits of the fractional parts of the square roots of the first eight primes (RFC 7693 §2.6).
    private static let initial: [UInt64] = [
        0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
    ]

    /// Which word of the block each step of a round takes; rounds 10 and 11 are as 0 and 1 (RFC 7693 §2.7).
    private static let schedule: [[Int]] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ]

    /// The compression function F (RFC 7693 §3.2); `count` is how many bytes have been taken, this block included.
    private static func compress(_ state: inout [UInt64], _ words: [UInt64], count: UInt64, isLast: Bool) {
        var v = state + initial
        v[12] ^= count
        if isLast { v[14] = ~v[14] }
        for round in 0..<12 {
            let order = schedule[round % 10]
            mix(&v, 0, 4, 8, 12, words[order[0]], words[order[1]])
            mix(&v, 1, 5, 9, 13, words[order[2]], words[order[3]])
            mix(&v, 2, 6, 10, 14, words[order[4]], words[order[5]])
            mix(&v, 3, 7, 11, 15, words[order[6]], words[order[7]])
            mix(&v, 0, 5, 10, 15, words[order[8]], words[order[9]])
            mix(&v, 1, 6, 11, 12, words[order[10]], words[order[11]])
            mix(&v, 2, 7, 8, 13, words[order[12]], words[order[13]])
            mix(&v, 3, 4, 9, 14, words[order[14]], words[order[15]])
        }
        for index in 0..<8 { state[index] ^= v[index] ^ v[index + 8] }
    }

    /// The mixing function G (RFC 7693 §3.1).
    private static func mix(_ v: inout [UInt64], _ a: Int, _ b: Int, _ c: Int, _ d: Int, _ x: UInt64, _ y: UInt64) {
        v[a] = v[a] &+ v[b] &+ x
        v[d] = rotated(v[d] ^ v[a], by: 32)
        v[c] = v[c] &+ v[d]
        v[b] = rotated(v[b] ^ v[c], by: 24)
        v[a] = v[a] &+ v[b] &+ y
        v[d] = rotated(v[d] ^ v[a], by: 16)
        v[c] = v[c] &+ v[d]
        v[b] = rotated(v[b] ^ v[c], by: 63)
    }

    private static func rotated(_ word: UInt64, by bits: UInt64) -> UInt64 { word >> bits | word << (64 - bits) }
}
