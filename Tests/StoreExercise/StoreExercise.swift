import Bundle
import BundleSamples
import Glibc
import SystemPackage

/// One change of a store of sample bundles in a process of its own, to be traced, killed and refused from outside.
///
/// `store-exercise OUT ISO publish|fleet|activate|force|confirm|rollback|prune|hammer
/// [VERSION|NUMBER|SECONDS]`. Exit code 0: done; 1: refused, with the
/// reason on standard error; 75: another one is at it.
@main
enum StoreExercise {
    static func main() {
        let words = CommandLine.arguments
        guard words.count >= 4 else { exit(64) }
        let argument = words.count > 4 ? words[4] : ""
        do {
            try change(
                BundleStore(FilePath(words[1])), iso: FilePath(words[2]), words[3], argument)
        } catch {
            _ = try? FileDescriptor.standardError.writeAll("\(error)\n".utf8)
            exit((error as? BundleError)?.code == .busy ? 75 : 1)
        }
    }

    /// Makes one change.
    static func change(_ store: BundleStore, iso: FilePath, _ name: String, _ argument: String) throws {
        switch name {
        case "publish":
            _ = try store.publish(
                try Samples.stage(argument, overlay: "overlay of \(argument)", iso: iso), allowingDowngrade: true)
        case "fleet": _ = try store.publish(try Samples.fleet(argument, iso: iso), allowingDowngrade: true)
        case "activate":
            _ = try store.activate(Version(argument), Samples.occasion, allowingDowngrade: true)
        case "force":
            _ = try store.activate(
                Version(argument), Samples.occasion, insisting: true, allowingDowngrade: true)
        case "confirm": _ = try store.confirm(nil, Samples.occasion)
        case "rollback": _ = try store.rollback(Samples.occasion)
        case "prune": _ = try store.prune(keeping: Int(argument) ?? 0, Samples.occasion)
        case "hammer": try hammer(store, iso: iso, seconds: Int(argument) ?? 1)
        default: exit(64)
        }
    }

    /// Makes changes at random while others do the same, for a while; says how many of each were made.
    private static func hammer(_ store: BundleStore, iso: FilePath, seconds: Int) throws {
        var random = SystemRandomNumberGenerator()
        var made: [String: Int] = [:]
        let end = time(nil) + seconds
        while time(nil) < end {
            let version = "\(Int.random(in: 1...4, using: &random)).0.0"
            let (name, argument) =
                [("publish", version), ("force", version), ("confirm", ""), ("rollback", ""), ("prune", "2")]
                .randomElement(using: &random) ?? ("confirm", "")
            do {
                try change(store, iso: iso, name, argument)
                made[name, default: 0] += 1
            } catch let error as BundleError
                where [.busy, .notFound, .notLive, .noWayBack, .failedBefore].contains(error.code)
            {
                made["\(error.code)", default: 0] += 1
            }
        }
        print(made.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
    }
}
