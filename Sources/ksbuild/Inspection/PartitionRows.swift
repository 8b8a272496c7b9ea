import ISOBuild

/// The partition tables of an image.
struct PartitionRows: Encodable {
    let mbr: Record?
    let gpt: Table?
    let apple: [Map]
    /// The byte at which a partition begins that is a volume with addresses of its own.
    let offsetVolume: UInt64?

    init(_ tables: HybridTables) {
        mbr = tables.mbr.map(Record.init)
        gpt = tables.gpt.map(Table.init)
        apple = tables.apple.map(Map.init)
        offsetVolume = tables.offsetVolume
    }

    var lines: [String] {
        (mbr?.lines ?? []) + (gpt?.lines ?? []) + apple.flatMap(\.lines)
            + (offsetVolume.map { ["  the partition at byte \($0) is a volume of its own"] } ?? [])
    }

    /// One partition, in blocks of its table.
    struct Partition: Encodable {
        let number: Int
        let type: String
        let name: String?
        let start: UInt64
        let blocks: UInt64
        let isActive: Bool?

        var line: String {
            let words = ["\(number):", "blocks \(start) to \(start + blocks - 1)", "type \(type)"]
            return "    "
                + (words + [name.map { "'\($0)'" }, isActive == true ? "active" : nil].compactMap { $0 })
                .joined(separator: " ")
        }
    }

    struct Record: Encodable {
        let kind: String
        let code: String
        let partitions: [Partition]

        init(_ record: MasterBootRecord) {
            kind = "\(record.kind)"
            code = "\(record.bootCode)"
            partitions = record.partitions.map { partition in
                Partition(
                    number: partition.number, type: String(partition.type, radix: 16), name: nil,
                    start: UInt64(partition.start), blocks: UInt64(partition.blocks), isActive: partition.isActive)
            }
        }

        var lines: [String] { ["  MBR: \(kind), boot code \(code)"] + partitions.map(\.line) }
    }

    struct Table: Encodable {
        let disk: String
        let backup: UInt64
        let partitions: [Partition]

        init(_ table: GUIDPartitionTable) {
            disk = "\(table.disk)"
            backup = table.backupBlock
            partitions = table.partitions.map { partition in
                Partition(
                    number: partition.number, type: "\(partition.type)", name: partition.name, start: partition.first,
                    blocks: partition.last >= partition.first ? partition.end - partition.first : 0, isActive: nil)
            }
        }

        var lines: [String] { ["  GPT: disk \(disk), backup in block \(backup)"] + partitions.map(\.line) }
    }

    struct Map: Encodable {
        let blockSize: Int
        let partitions: [Partition]

        init(_ map: ApplePartitionMap) {
            blockSize = map.blockSize
            partitions = map.partitions.map { partition in
                Partition(
                    number: partition.number, type: partition.type, name: partition.name,
                    start: UInt64(partition.start), blocks: UInt64(partition.blocks), isActive: nil)
            }
        }

        var lines: [String] { ["  Apple map: blocks of \(blockSize) bytes"] + partitions.map(\.line) }
    }
}
