internal import Artefact
internal import SystemPackage
internal import TestSupport
internal import Testing
internal import Upstream

struct PackageResolverTests {
    private static func resolver(_ texts: [String]) throws -> PackageResolver {
        try PackageResolver(
            texts.enumerated().map { number, text in
                .init(name: "repository \(number)", index: try PackageIndex(text: Array(text.utf8), named: "\(number)"))
            }, architecture: "x86_64")
    }

    @Test func `random worlds over random indexes are resolved as Alpine's apk resolves them`() async throws {
        let scratch = try Scratch()
        let solver = try await ApkSolver(in: scratch.path)
        var questions: [(repositories: [FilePath], world: [String])] = []
        var ours: [[String]?] = []
        var told: [String] = []
        for seed in UInt64(1)...200 {
            var generated = GeneratedIndex(seed: seed)
            let resolver = try Self.resolver(generated.texts)
            let repositories = try solver.repositories(generated.texts, under: "g\(seed)")
            for _ in 0..<3 {
                let world = generated.world()
                questions.append((repositories, world))
                ours.append(try resolver.answer(world))
                told.append("seed \(seed), world \(world.joined(separator: " "))")
            }
        }
        let theirs = try await solver.answers(questions)
        try #require(theirs.count == ours.count)
        for (number, answer) in theirs.enumerated() { #expect(ours[number] == answer, "\(told[number])") }
        // The generator must give worlds of both kinds, or agreement says little.
        let solvable = theirs.count { $0 != nil }
        #expect(solvable > 150 && solvable < 500, "\(solvable)")
    }

    /// Indexes made for one rule each, and the worlds that show it.
    private static let cases: [(what: String, indexes: [String], worlds: [String])] = [
        (
            "newest across repositories", ["P:a V:1\nP:b V:2", "P:a V:2\nP:b V:1"],
            ["a", "b", "a b", "a=1", "a<2", "a~1"]
        ),
        (
            "pins", ["P:a V:1.2-r0\nP:a V:1.10-r0\nP:a V:1.10_rc1-r0"],
            ["a", "a~1.2", "a~1", "a=1.10", "a>1.10", "a<1.10"]
        ),
        (
            "provided names", ["P:a D:so:x.so.1,cmd:y\nP:x p:so:x.so.1=1.5\nP:y p:cmd:y=1"],
            ["a", "so:x.so.1=1.5", "cmd:y>2"]
        ),
        ("versioned providers exclude each other", ["P:a p:v=1\nP:b p:v=2"], ["v", "a", "a b", "v<2", "a v=2"]),
        ("unversioned providers do not", ["P:a p:v\nP:b p:v\nP:c D:v"], ["v", "c", "a b", "a c", "a b c"]),
        ("a lone unversioned provider", ["P:a p:v\nP:c D:v"], ["v", "c", "a c", "v<5", "v=5"]),
        ("priorities", ["P:a p:v k:10\nP:b p:v k:20\nP:c p:v"], ["v", "c v", "a v", "!b v", "v<1", "v>1"]),
        ("version before priority", ["P:a p:v=1 k:20\nP:b p:v=2 k:10\nP:c p:v k:99"], ["v", "v<2", "!b v"]),
        ("exclusions", ["P:a D:!b\nP:b\nP:c D:b"], ["a", "a b", "a c", "c", "!b c", "!z a"]),
        ("exclusion of a version", ["P:a D:!b<2\nP:b V:1\nP:b V:2"], ["a b", "a b=1", "b=1"]),
        ("an exclusion spares its own package", ["P:a D:!v p:v\nP:b p:v"], ["a", "a b", "b"]),
        ("install_if", ["P:a V:2\nP:b\nP:ab i:a=2,b D:z\nP:z"], ["a", "b", "a b", "a b !ab", "a b !z"]),
        ("install_if in a chain", ["P:a\nP:b\nP:x i:a,b\nP:y i:x,a\nP:n i:x,!y"], ["a", "a b", "a b !y", "a b !x"]),
        ("install_if by a provided name", ["P:a p:v=1\nP:x i:v=1,b\nP:b"], ["a b", "b", "v b"]),
        ("circles", ["P:a D:b\nP:b D:c\nP:c D:a,d\nP:d D:d"], ["a", "b", "c !d"]),
        ("a common need", ["P:a D:v\nP:b p:v=1 D:z,y\nP:c p:v=1 D:z\nP:z\nP:y"], ["a", "a !y", "a !z", "a b"]),
        (
            "what cannot be read", ["P:a D:b=x\nP:b\nP:a V:0\nP:c X:1\nP:d A:armhf\nP:e i:b=x,a"],
            ["a", "b", "c", "d", "e"]
        ),
        ("one build in two repositories", ["P:a C:7", "P:a C:7\nP:b D:a"], ["b"]),
        ("one version built twice", ["P:a D:b\nP:b", "P:a D:c\nP:c"], ["a", "a !b", "a !c"]),
        ("case in names", ["P:B D:v\nP:a D:v\nP:x p:v=1\nP:y p:v=1"], ["a B", "B a x", "B a y"]),
        ("odd versions", ["P:a V:1_git V:1\nP:a V:1x9\nP:b D:a>=1"], ["a", "b", "a=1"]),
    ]

    /// `P:a V:1 D:b,c` a line as the lines of an index.
    private static func lines(_ text: String, _ seed: String) -> String {
        text.split(separator: "\n").map { line in
            var fields: [(Character, String)] = []
            for word in line.split(separator: " ") where !fields.contains(where: { $0.0 == word[word.startIndex] }) {
                fields.append((word[word.startIndex], word.dropFirst(2).split(separator: ",").joined(separator: " ")))
            }
            for (key, value) in [(Character("V"), "1"), ("A", "x86_64"), ("S", "10"), ("I", "10")]
            where !fields.contains(where: { $0.0 == key }) { fields.append((key, value)) }
            let digest = Digest(of: Array((fields.contains { $0.0 == "C" } ? "same" : "\(seed) \(line)").utf8)).hex
            let identity = "Q1" + digest.prefix(26).uppercased() + "A="
            return (["C:\(identity)"] + fields.filter { $0.0 != "C" }.map { "\($0.0):\($0.1)" }).joined(separator: "\n")
                + "\n\n"
        }.joined()
    }

    @Test func `each rule is applied as Alpine's apk applies it`() async throws {
        let scratch = try Scratch()
        let solver = try await ApkSolver(in: scratch.path)
        var questions: [(repositories: [FilePath], world: [String])] = []
        var ours: [[String]?] = []
        var told: [String] = []
        for (number, item) in Self.cases.enumerated() {
            let texts = item.indexes.enumerated().map { Self.lines($1, "\(number) \($0)") }
            let resolver = try Self.resolver(texts)
            let repositories = try solver.repositories(texts, under: "c\(number)")
            for world in item.worlds.map({ $0.split(separator: " ").map(String.init) }) {
                questions.append((repositories, world))
                ours.append(try resolver.answer(world))
                told.append("\(item.what): \(world.joined(separator: " "))")
            }
        }
        let theirs = try await solver.answers(questions)
        try #require(theirs.count == ours.count)
        for (number, answer) in theirs.enumerated() { #expect(ours[number] == answer, "\(told[number])") }
    }

    @Test func `worlds over the lab's packages are resolved as Alpine's apk resolves them`() async throws {
        let scratch = try Scratch()
        let solver = try await ApkSolver(in: scratch.path)
        let main = Product.mirror.pushing("alpine/v3.23/main")
        let index = try PackageIndex(
            archive: HostFile.read(main.pushing("x86_64/APKINDEX.tar.gz"), limit: 1 << 20), named: "main")
        let resolver = PackageResolver([.init(name: "main", index: index)], architecture: "x86_64")
        var generator = SeededGenerator(seed: 7)
        var worlds = [
            ["alpine-base"], ["alpine-base", "openssh", "doas", "chrony", "e2fsprogs", "nftables", "iptables"],
        ]
        for _ in 0..<250 {
            var world: [String] = []
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let package = try #require(index.packages.randomElement(using: &generator))
                switch Int.random(in: 0..<12, using: &generator) {
                case 0: world.append("!\(package.name)")
                case 1: world.append("\(package.name)=\(package.version)")
                case 2: world.append("\(package.name)>\(package.version)")
                case 3: world.append(package.provides.randomElement(using: &generator)?.name ?? package.name)
                default: world.append(package.name)
                }
            }
            worlds.append(world)
        }
        let theirs = try await solver.answers(worlds.map { (repositories: [main], world: $0) })
        try #require(theirs.count == worlds.count)
        for (world, answer) in zip(worlds, theirs) { #expect(try resolver.answer(world) == answer, "\(world)") }
        #expect(theirs.count { $0 != nil } > 100)
    }

    @Test(arguments: [
        (
            "P:nft D:so:x.so.1\nP:libx V:1.2-r0", "nft",
            "the world needs nft, which needs so:x.so.1, which nothing in repository 0 provides"
        ),
        (
            "P:nft D:libx>=2\nP:libx V:1.2-r0", "nft",
            "the world needs nft, which needs libx>=2, which nothing in repository 0 provides; nearest: libx 1.2-r0 of"
                + " libx-1.2-r0 in repository 0"
        ),
        (
            "P:nftables", "nfttables",
            "the world needs nfttables, which nothing in repository 0 provides; nearest: nftables-1"
        ),
        (
            "P:top D:mid\nP:mid D:low\nP:low D:gone", "top",
            "the world needs top, which needs mid, which needs low, which needs gone, which nothing in repository 0 provides"
        ),
        (
            "P:a p:v D:gone\nP:b p:v D:c\nP:c D:gone", "v",
            "the world needs v (by a-1) (as do the 1 others that could be taken), which needs gone, which nothing in"
        ),
        ("P:a A:armhf", "a", "the world needs a, and a-1.apk is for armhf"),
        (
            "P:a p:v\nP:b p:v", "v",
            "v is provided by a, b, of which apk takes none unasked; name the one that is meant in the world"
        ),
        (
            "P:a D:x=1\nP:b D:x=2\nP:x V:1\nP:x V:2\nP:c", "a b c",
            "the world cannot have a and b together: b, which needs x=2, but a, which needs x=1 rules that out"
        ),
        (
            "P:a D:b\nP:b", "a !b",
            "the world cannot have a and !b together: a, which needs b, but the world's own !b rules that out"
        ),
    ])
    func `what cannot be satisfied is told as a chain of reasons`(_ index: String, _ world: String, _ message: String)
        throws
    {
        let resolver = try Self.resolver([Self.lines(index, "")])
        let error = #expect(throws: UpstreamError.self) {
            try resolver.resolve(world: world.split(separator: " ").map(String.init))
        }
        #expect(error?.code == .unsatisfiable)
        #expect(error?.detail.hasPrefix(message) == true, "\(error?.detail ?? "")")
    }

    @Test func `what a package is there for is the nearest reason`() throws {
        let resolver = try Self.resolver([
            Self.lines("P:a D:b\nP:b D:c,so:d\nP:c D:so:d\nP:d p:so:d=1\nP:e i:a,c", ""), Self.lines("P:a", "x"),
        ])
        let closure = try resolver.resolve(world: ["a"])
        #expect(
            closure.members.map { "\($0.package.name) \($0.repository) \($0.reason)" } == [
                "a 0 world: a", "b 0 a needs b", "c 0 b needs c", "d 0 b needs so:d", "e 0 with a and c",
            ])
        #expect(closure.size == 50)
    }

    @Test(.timeLimit(.minutes(1))) func `an index made to take long is refused, and a deep chain is none`() throws {
        let chain =
            (0..<20_000).map { "P:n\($0)\nV:1\nC:\($0)\nD:n\($0 + 1)\n\n" }.joined() + "P:n20000\nV:1\nC:last\n\n"
        #expect(try Self.resolver([chain]).resolve(world: ["n0"]).members.count == 20_001)
        // Each package excludes and provides what all others provide.
        let crowd = (0..<1500).map { number in
            "P:m\(number)\nV:1\nC:\(number)\np:v w=\(number)\nD:"
                + (0..<20).map { "!m\((number + $0 * 70) % 1500)<1" }.joined(separator: " ")
                + " w v\n\n"
        }.joined()
        do { _ = try Self.resolver([crowd]).resolve(world: ["w", "v"]) } catch let error as UpstreamError {
            #expect(error.code == .tooComplex || error.code == .unsatisfiable)
        }
    }
}
