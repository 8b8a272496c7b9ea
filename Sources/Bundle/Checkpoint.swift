internal import Artefact
internal import FoundationEssentials

/// A line of the history that says what all lines before it come to, so that a reader needs no more than the last of
/// them and what follows.
enum Checkpoint {
    /// After how many lines there is another one.
    static let interval = 128
    /// What only such a line begins with.
    static let mark = Array(#"{"checkpoint":"#.utf8)

    /// The line, without its end.
    static func line(_ standing: Standing) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(["checkpoint": Facts(standing)]))
    }

    /// What a line says, or `nil` where it is no whole checkpoint.
    static func standing(_ line: ArraySlice<UInt8>) -> Standing? {
        (try? JSONDecoder().decode([String: Facts].self, from: Data(line)))?["checkpoint"]?.standing
    }

    private struct Facts: Codable {
        let live: String?
        let floor: String?
        let confirmed: [Confirmed]
        let failed: [Failed]
        let before: Before?

        struct Confirmed: Codable {
            let version: String
            let manifest: String?
        }

        struct Failed: Codable {
            let version: String
            let when: Int64
            let who: String
            let why: String

            init(_ version: Version, _ failure: Standing.Failure) {
                self.version = version.description
                when = failure.occasion.when
                who = failure.occasion.who
                why = failure.occasion.why
            }
        }

        struct Before: Codable {
            let live: String?
            let failed: [Failed]
        }

        init(_ standing: Standing) {
            func list(_ failed: [Version: Standing.Failure]) -> [Failed] {
                failed.sorted { $0.key < $1.key }.map(Failed.init)
            }
            live = standing.live?.description
            floor = standing.floor?.description
            confirmed = standing.confirmed.map {
                Confirmed(version: $0.version.description, manifest: $0.manifest?.hex)
            }
            failed = list(standing.failed)
            before = standing.beforeSwitch.map { Before(live: $0.live?.description, failed: list($0.failed)) }
        }

        /// What the line says, where all of it can be understood.
        var standing: Standing? {
            func failures(_ list: [Failed]) throws -> [Version: Standing.Failure] {
                var failures: [Version: Standing.Failure] = [:]
                for one in list {
                    let occasion = Occasion(when: one.when, who: one.who, why: one.why)
                    failures[try Version(one.version)] = Standing.Failure(occasion: occasion)
                }
                return failures
            }
            return try? Standing(
                live: live.map { try Version($0) },
                confirmed: confirmed.map {
                    Standing.Confirmation(
                        version: try Version($0.version), manifest: try $0.manifest.map(Digest.init(hex:)))
                },
                failed: failures(failed), floor: floor.map { try Version($0) },
                beforeSwitch: before.map {
                    Standing.Before(live: try $0.live.map { try Version($0) }, failed: try failures($0.failed))
                })
        }
    }
}
