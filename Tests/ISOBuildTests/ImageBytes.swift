import Testing

/// Finding structures in the bytes of an image, to damage them.
extension [UInt8] {
    /// Where the record of an identifier stands in the directory at a sector.
    func record(_ identifier: String, in sector: Int) -> Int {
        var offset = sector * 2048
        while self[offset] > 0 {
            let name = self[(offset + 33)..<(offset + 33 + Int(self[offset + 32]))]
            if name.elementsEqual(identifier.utf8) { return offset }
            offset += Int(self[offset])
        }
        Issue.record("no record \(identifier) in sector \(sector)")
        return 0
    }

    /// Where a system use entry of a record stands.
    func entry(_ signature: String, of identifier: String, in sector: Int) -> Int {
        let start = record(identifier, in: sector)
        var offset = start + 33 + Int(self[start + 32])
        offset += (offset - start) % 2
        while offset + 4 <= start + Int(self[start]), self[offset + 2] > 0 {
            if self[offset..<(offset + 2)].elementsEqual(signature.utf8) { return offset }
            offset += Int(self[offset + 2])
        }
        Issue.record("no \(signature) in \(identifier)")
        return 0
    }
}
