/// A moment in the two forms that ECMA-119 has, always written in UTC.
struct ISOTime: Hashable {
    /// Seconds since 1970-01-01T00:00:00Z.
    let seconds: Int64

    /// The moments that seven bytes can tell: the years 1900 to 2155.
    static let range: ClosedRange<Int64> = -2_208_988_800...5_869_583_999

    /// Takes a moment, or `nil` where no directory record can hold it.
    init?(seconds: Int64) {
        guard Self.range.contains(seconds) else { return nil }
        self.seconds = seconds
    }

    /// Seven bytes, §9.1.5: years since 1900, month, day, hour, minute, second, zone.
    var short: [UInt8] {
        let (year, month, day) = Self.civil(seconds.floorDivided(by: 86_400))
        let second = seconds - seconds.floorDivided(by: 86_400) * 86_400
        return [year - 1900, month, day, second / 3600, second / 60 % 60, second % 60, 0].map {
            UInt8(truncatingIfNeeded: $0)
        }
    }

    /// Seventeen bytes, §8.4.26.1: sixteen digits and the zone.
    var long: [UInt8] {
        let (year, month, day) = Self.civil(seconds.floorDivided(by: 86_400))
        let second = seconds - seconds.floorDivided(by: 86_400) * 86_400
        var bytes: [UInt8] = []
        for (value, width) in [
            (year, 4), (month, 2), (day, 2), (second / 3600, 2), (second / 60 % 60, 2), (second % 60, 2), (0, 2),
        ] {
            let digits = Array(String(value).utf8)
            bytes += [UInt8](repeating: 0x30, count: width - digits.count) + digits
        }
        return bytes + [0]
    }

    /// The long form of "not stated".
    static let unstated: [UInt8] = [UInt8](repeating: 0x30, count: 16) + [0]

    /// Reads the seven-byte form; a month of zero means that no time is stated.
    init?(short field: Fields, at offset: Int) {
        let month = Int64(field.byte(offset + 1))
        let day = Int64(field.byte(offset + 2))
        guard (1...12).contains(month), (1...31).contains(day) else { return nil }
        let days = Self.days(1900 + Int64(field.byte(offset)), month, day)
        let time =
            Int64(field.byte(offset + 3)) * 3600 + Int64(field.byte(offset + 4)) * 60 + Int64(field.byte(offset + 5))
        seconds = days * 86_400 + time - Int64(Int8(bitPattern: field.byte(offset + 6))) * 900
    }

    /// Reads the seventeen-byte form; anything but digits or a year of zero means that no time is stated.
    init?(long field: Fields, at offset: Int) {
        var values: [Int64] = []
        var position = offset
        for width in [4, 2, 2, 2, 2, 2] {
            var value: Int64 = 0
            for byte in field.slice(position, width) {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            values.append(value)
            position += width
        }
        guard values[0] > 0, (1...12).contains(values[1]), (1...31).contains(values[2]) else { return nil }
        let zone = Int64(Int8(bitPattern: field.byte(offset + 16)))
        let days = Self.days(values[0], values[1], values[2])
        seconds = days * 86_400 + values[3] * 3600 + values[4] * 60 + values[5] - zone * 900
    }

    /// The date of a number of days since 1970-01-01 in the proleptic Gregorian calendar.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted.floorDivided(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }

    /// The number of days since 1970-01-01 of a date in the proleptic Gregorian calendar.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear.floorDivided(by: 400)
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}

extension Int64 {
    fileprivate func floorDivided(by divisor: Int64) -> Int64 {
        self >= 0 ? self / divisor : -((divisor - 1 - self) / divisor)
    }
}
