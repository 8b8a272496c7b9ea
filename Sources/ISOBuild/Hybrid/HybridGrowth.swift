/// What an image needs when its volume has grown: its new size, and the bytes by which its partition tables know of it.
struct HybridGrowth: Hashable {
    /// Bytes to be written at a place.
    struct Patch: Hashable {
        let offset: UInt64
        let bytes: [UInt8]
    }

    /// The size of the whole image in bytes, a multiple of 2048; what lies between the content and the tables is zero.
    let imageSize: UInt64
    /// What is to be written: to the system area and to the end; in the order of their places.
    let patches: [Patch]
    /// The old backup of the GPT, entries and header: to be filled with zeros where no file lies in it.
    let obsolete: [Range<UInt64>]
    /// What does not grow, and what follows from that; one line each.
    let notes: [String]
}

extension HybridTables {
    /// The first byte at which content may be added: behind the image and every partition, a multiple of 2048.
    var contentStart: UInt64 {
        let mbrEnd = (mbr?.partitions ?? []).filter { $0.blocks != .max }.map { $0.end * 512 }.max() ?? 0
        return Self.roundUp(Swift.max(imageSize, mbrEnd), 2048)
    }

    /// What the tables need when the volume, which ended at `oldEnd`, is to hold content up to `contentEnd`.
    ///
    /// The partition that is the volume, and whatever filled the image to its end, grows to the new end: aligned to
    /// cylinders or 4 KiB where the source is. Partitions inside the volume (EFI image) and behind it (appended ones) stay
    /// where they are, as do all identities. The backup of the GPT moves to the new end.
    ///
    /// Content goes behind appended partitions. The volume's partition of an ordinary MBR then grows across them, as
    /// it lies across an EFI image within the volume, and like there its type becomes 0, because UEFI refuses an MBR with two
    /// partitions that overlap unless one has no type (EDK 2, `PartitionValidMbr`). A GPT that UEFI reads must not
    /// have overlapping partitions (it ignores both, EDK 2 `PartitionCheckGptEntry`), so there the volume's
    /// partition keeps its size, and the image is mounted as a whole disk.
    ///
    /// - Parameters:
    ///   - oldEnd: The end of the volume as its descriptor has it, in bytes.
    ///   - contentEnd: The end of what it is to hold, in bytes.
    /// - Returns: The size and the bytes to write.
    /// - Throws: ``ISOError`` with ``ISOError/Code/damaged`` where the tables contradict each other or the image, with
    ///   ``ISOError/Code/unrepresentable`` where a field cannot hold the new size.
    func growth(from oldEnd: UInt64, to contentEnd: UInt64) throws(ISOError) -> HybridGrowth {
        if let fault = faults.first {
            throw ISOError(
                .damaged, subject: subject, detail: "its partition tables cannot be followed: \(fault)", sector: 0)
        }
        guard contentEnd >= contentStart else {
            throw ISOError(
                .unrepresentable, subject: subject,
                detail: "content up to byte \(contentEnd) would lie within the image, which ends at \(contentStart)")
        }
        var plan = GrowthPlan(self, oldEnd: oldEnd)
        return try plan.growth(to: contentEnd)
    }

    static func roundUp(_ value: UInt64, _ unit: UInt64) -> UInt64 { (value + unit - 1) / unit * unit }
}

extension [UInt8] {
    /// Writes a number over what is there.
    mutating func put<Value: FixedWidthInteger>(_ value: Value, at offset: Int, big: Bool = false) {
        for index in 0..<MemoryLayout<Value>.size {
            let place = big ? MemoryLayout<Value>.size - 1 - index : index
            self[offset + place] = UInt8(truncatingIfNeeded: value >> Value(index * 8))
        }
    }
}
