import Artefact
import Bundle
import Glibc
import Machine
import Recipe
import SystemPackage

/// The one place that reads the clock, the environment, the user and the working directory.
enum Host {
    /// A variable of the environment, where it is set and not empty.
    static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }

    /// Every variable of the environment.
    static var environment: [String: String] {
        var variables: [String: String] = [:]
        var entry = unsafe environ
        while let line = unsafe entry.pointee {
            let text = unsafe String(cString: line)
            if let sign = text.firstIndex(of: "=") {
                variables[String(text[..<sign])] = String(text[text.index(after: sign)...])
            }
            unsafe entry += 1
        }
        return variables
    }

    /// The home directory.
    static var home: FilePath? { variable("HOME").map { FilePath($0) } }

    /// Where inputs are kept for all projects (XDG Base Directory Specification, by which a relative path counts as
    /// none).
    static var inputCache: FilePath {
        let given = variable("XDG_CACHE_HOME").map { FilePath($0) }.flatMap { $0.isAbsolute ? $0 : nil }
        let base = given ?? workingDirectory.pushing((home ?? temporaryDirectory).appending(".cache"))
        return base.appending("ksbuild").appending("inputs")
    }

    /// The time now, in seconds since 1970-01-01.
    static var now: Int64 { Int64(time(nil)) }

    /// Where files go that nobody keeps.
    static var temporaryDirectory: FilePath { FilePath(variable("TMPDIR") ?? "/tmp") }

    /// The working directory.
    static var workingDirectory: FilePath {
        guard let buffer = unsafe getcwd(nil, 0) else { return "." }
        defer { unsafe free(buffer) }
        return FilePath(unsafe String(cString: buffer))
    }

    /// A path without symbolic links, from the root; of one that is not there yet, as far as it is.
    static func resolved(_ path: FilePath) -> FilePath {
        let absolute = workingDirectory.pushing(path).lexicallyNormalized()
        let real = unsafe absolute.withPlatformString { name in unsafe realpath(name, nil) }
        if let real = unsafe real {
            defer { unsafe free(real) }
            return FilePath(unsafe String(cString: real))
        }
        guard let last = absolute.lastComponent, absolute.components.count > 1 else { return absolute }
        return resolved(absolute.removingLastComponent()).appending(last)
    }

    /// Becomes another program, which takes over terminal, exit code and all; only an error comes back.
    ///
    /// - Throws: `Errno`, such as for a program that is not installed.
    static func become(_ program: String, _ arguments: [String]) throws -> Never {
        var words: [UnsafeMutablePointer<CChar>?] = unsafe ([program] + arguments).map { unsafe strdup($0) }
        unsafe words.append(nil)
        _ = unsafe execvp(program, words)
        throw Errno(rawValue: errno)
    }

    /// What a recipe may refer to.
    static var surroundings: Surroundings {
        Surroundings(environment: environment, workingDirectory: workingDirectory, home: home)
    }

    /// What distribution this host says it is (os-release(5)), or what a file says in its place.
    ///
    /// - Throws: `ArtefactError` where there is no such file.
    static func osRelease(_ file: String? = nil) throws -> String {
        let standard: FilePath = "/etc/os-release"
        let path = file.map { FilePath($0) } ?? (HostFile.exists(standard) ? standard : "/usr/lib/os-release")
        return String(decoding: try HostFile.read(path, limit: 1 << 16), as: UTF8.self)
    }

    /// Who does this, when and why, for the history of a store.
    static func occasion(why: String) -> Occasion {
        Occasion(when: now, who: "\(user)@\(hostname)", why: why)
    }

    /// Who runs this command, with the groups that count for it.
    static var person: HostUser {
        var numbers = [gid_t](repeating: 0, count: max(0, Int(getgroups(0, nil))))
        let count = unsafe getgroups(CInt(numbers.count), &numbers)
        let groups = ([getegid()] + numbers.prefix(max(0, Int(count)))).compactMap(groupName)
        return HostUser(name: user, isRoot: geteuid() == 0, groups: Set(groups))
    }

    /// Who asked for this command: the user behind `sudo` or `doas`, else the one who runs it.
    static var invokingUser: String {
        guard geteuid() == 0 else { return user }
        return variable("SUDO_USER") ?? variable("DOAS_USER") ?? user
    }

    private static func groupName(_ number: gid_t) -> String? {
        guard let entry = unsafe getgrgid(number), let name = unsafe entry.pointee.gr_name else { return nil }
        return unsafe String(cString: name)
    }

    private static var user: String {
        guard let entry = unsafe getpwuid(geteuid()), let name = unsafe entry.pointee.pw_name else {
            return String(geteuid())
        }
        return unsafe String(cString: name)
    }

    private static var hostname: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "unknown" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
