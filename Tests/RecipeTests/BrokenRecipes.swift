import Testing

@testable import Recipe

/// A recipe with one fault; `»` stands where the fault is expected and is not part of the recipe.
///
/// The line `apiVersion: ksbuild/v1` goes before it, unless it begins with `!`.
struct BrokenRecipe: Sendable, CustomTestStringConvertible {
    let marked: String
    let keyPath: String
    let message: String

    init(_ marked: String, _ keyPath: String, _ message: String) {
        self.marked = marked
        self.keyPath = keyPath
        self.message = message
    }

    var testDescription: String { "\(marked.prefix(60)): \(message)" }

    /// The recipe as it is written.
    var text: String { whole.split(separator: "»", omittingEmptySubsequences: false).joined() }

    /// The place of the mark.
    var position: SourcePosition {
        var position = SourcePosition.start
        for scalar in whole.unicodeScalars {
            if scalar == "»" { break }
            position = scalar == "\n" ? SourcePosition(line: position.line + 1, column: 1) : position
            if scalar != "\n" { position.column += 1 }
        }
        return position
    }

    private var whole: String {
        marked.hasPrefix("!") ? String(marked.dropFirst()) : "apiVersion: ksbuild/v1\n" + marked
    }
}

let brokenDocuments: [BrokenRecipe] = [
    BrokenRecipe("!»", "", "is empty; write one with 'ksbuild init'"),
    BrokenRecipe("!»# only a comment\n", "", "is empty"),
    BrokenRecipe("!»name: x\n", "apiVersion", "is missing; add 'apiVersion: ksbuild/v1'"),
    BrokenRecipe("!apiVersion: »ksbuild/v2\n", "apiVersion", "does not take 'ksbuild/v2'; did you mean 'ksbuild/v1'?"),
    BrokenRecipe("!»- apiVersion: ksbuild/v1\n", "", "must be a mapping of keys and values, not a list"),
    BrokenRecipe("!»just text\n", "", "must be a mapping of keys and values, not text"),
    BrokenRecipe("»---\nname: x\n", "", "begins a second document, and a recipe is one"),
    BrokenRecipe("name: [\n»", "", "did not find expected node content"),
    BrokenRecipe("name: \"open\n»", "", "found unexpected end of stream"),
    BrokenRecipe("  name»: x\n", "", "mapping values are not allowed"),
    BrokenRecipe("name: a»: b\n", "", "quote a text that holds ': '"),
    BrokenRecipe("»\tname: x\n", "", "found a tab character that violates indentation; indent with blanks"),
    BrokenRecipe("name: »&n kubesolo\n", "", "has an anchor"),
    BrokenRecipe("name: »*n\n", "name", "is an alias"),
    BrokenRecipe("packages: [a, »*]\n", "packages[1]", "is an alias"),
    BrokenRecipe("»*n : x\n", "", "is an alias"),
    BrokenRecipe(
        "!»%TAG !e! tag:e*,2000:\n---\napiVersion: ksbuild/v1\nname: &a foo\nhostname: *a\n", "", "is a directive"),
    BrokenRecipe("!# first\n\n»%YAML 1.2\n---\napiVersion: ksbuild/v1\n", "", "is a directive"),
    BrokenRecipe("name: »&a\n  - '*'\n", "", "has an anchor"),
    BrokenRecipe("»<<: { name: x }\n", "", "is merged from elsewhere"),
    BrokenRecipe("name: »!!str x\n", "name", "has the tag 'tag:yaml.org,2002:str'"),
    BrokenRecipe("name: »!custom x\n", "name", "has the tag '!custom'"),
    BrokenRecipe("packages: »!set [x]\n", "packages", "has the tag '!set'"),
    BrokenRecipe("? »[a]\n: b\n", "", "has a key that is a list or a mapping"),
    BrokenRecipe("name: x\n»name: y\n", "name", "is given twice (the first stands at 2:1)"),
    BrokenRecipe("vm: { cpus: 1, »'cpus': 2 }\n", "vm.cpus", "is given twice (the first stands at 2:7)"),
    BrokenRecipe("name: a»\u{7}b\n", "", "holds the character U+0007"),
    BrokenRecipe("name: a»\rhostname: b\n", "", "holds a carriage return without a line feed"),
    BrokenRecipe("name: a\r\n»\r\r\n", "", "holds a carriage return without a line feed"),
    BrokenRecipe("name: a»\r", "", "holds a carriage return without a line feed"),
    BrokenRecipe("name: a»\u{2028}b\n", "", "holds the character U+2028"),
]

let brokenKeys: [BrokenRecipe] = [
    BrokenRecipe("»hostnme: x\n", "hostnme", "did you mean 'hostname'?"),
    BrokenRecipe("»zzz: x\n", "zzz", "is no key that is known here; known here: apiVersion, name"),
    BrokenRecipe("»'a b': x\n", "['a b']", "is no key that is known here"),
    BrokenRecipe("nodes: »{}\n", "nodes", "is empty"),
    BrokenRecipe("nodes: { »Edge: {} }\n", "nodes.Edge", "holds capital letters"),
    BrokenRecipe("nodes: { a: { »packages: [nftables] } }\n", "nodes.a.packages", "is no key that is known here"),
    BrokenRecipe("nodes: { a: { mac: »52:54:00 } }\n", "nodes.a.mac", "is not a hardware address"),
    BrokenRecipe(
        "nodes:\n  a: { hostname: x }\n  b: { hostname: »x }\n", "nodes.b.hostname",
        "x is also the host name of a (3:18)"),
    BrokenRecipe(
        "nodes:\n  a: { mac: 52:54:00:12:34:5a }\n  b: { mac: »52:54:00:12:34:5A }\n", "nodes.b.mac",
        "is also the hardware address of a"),
    BrokenRecipe(
        "nodes:\n  a: {}\n  b: { network: { interfaces: { eth0: { addresses: [»192.0.2.0/24] } } } }\n",
        "nodes.b.network.interfaces.eth0.addresses[0]", "is the address of 192.0.2.0/24"),
    BrokenRecipe("»images: []\n", "images", "is not supported by this version"),
    BrokenRecipe("alpine: { »flavour: virt }\n", "alpine.flavour", "did you mean 'flavor'?"),
    BrokenRecipe(
        "network:\n  interfaces:\n    eth0: { »dhcp: true }\n", "network.interfaces.eth0.dhcp", "did you mean 'dhcp4'?"),
    BrokenRecipe("storage: { »disk: {} }\n", "storage.disk", "known here: data"),
    BrokenRecipe(
        "access: { users: [{ name: a, »authorisedKeys: [] }] }\n", "access.users[0].authorisedKeys",
        "did you mean 'authorizedKeys'?"),
    BrokenRecipe("access: { users: »{ name: a } }\n", "access.users", "must be a list, not a mapping"),
    BrokenRecipe("access: { users: [»{ doas: true }] }\n", "access.users[0].name", "is missing"),
    BrokenRecipe(
        "network: { interfaces: { v7: { dhcp4: true, vlan: »{ id: 7 } } } }\n", "network.interfaces.v7.vlan.link",
        "is missing"),
    BrokenRecipe("alpine:»\n", "alpine", "must be a mapping of keys and values, not nothing"),
    BrokenRecipe("packages:»\n", "packages", "must be a list, not nothing; leave the key out, or write []"),
    BrokenRecipe("hostname:»\n", "hostname", "not nothing; leave the key out, or give it a value"),
    BrokenRecipe("hostname: »{}\n", "hostname", "must be a host name, not a mapping"),
]

let brokenValues: [BrokenRecipe] = [
    BrokenRecipe("name: »Kube\n", "name", "'Kube' is not a name of artefacts: it holds capital letters"),
    BrokenRecipe("name: »123\n", "name", "but '123' is a number to YAML; write it in quotes"),
    BrokenRecipe("name: »true\n", "name", "but 'true' is true or false to YAML; write it in quotes"),
    BrokenRecipe("hostname: »Edge-001\n", "hostname", "it holds capital letters; use a-z, 0-9 and '-' (RFC 1123)"),
    BrokenRecipe("hostname: »edge_001\n", "hostname", "it holds a character other than a-z"),
    BrokenRecipe("hostname: »-edge\n", "hostname", "has a label that begins or ends with '-'"),
    BrokenRecipe(
        "hostname: »\(String(repeating: "a", count: 64))\n", "hostname", "has a label of 64 bytes (the most is 63)"),
    BrokenRecipe("hostname: »a..b\n", "hostname", "it has an empty label"),
    BrokenRecipe("alpine: { release: »v3.23.6 }\n", "alpine.release", "begins with a 'v'"),
    BrokenRecipe("alpine: { release: »3.23 }\n", "alpine.release", "is a number to YAML; write one such as 3.23.6"),
    BrokenRecipe(
        "alpine: { release: »03.23.6 }\n", "alpine.release", "it has a number that begins with 0; write 3.23.6"),
    BrokenRecipe("alpine: { release: »3.00.6 }\n", "alpine.release", "write 3.0.6"),
    BrokenRecipe("kubesolo: { release: »v1.02.2 }\n", "kubesolo.release", "write v1.2.2"),
    BrokenRecipe("kubesolo: { release: »v01.2.2-rc.1 }\n", "kubesolo.release", "write v1.2.2-rc.1"),
    BrokenRecipe("alpine: { release: »edge }\n", "alpine.release", "has no releases"),
    BrokenRecipe("alpine: { flavor: »virtual }\n", "alpine.flavor", "did you mean 'virt'?"),
    BrokenRecipe("alpine: { arch: »amd64 }\n", "alpine.arch", "does not take 'amd64'; write x86_64 or aarch64"),
    BrokenRecipe("alpine: { sha256: »abc }\n", "alpine.sha256", "it has 3 characters; write the 64"),
    BrokenRecipe(
        "alpine: { sha256: »\(String(repeating: "g", count: 64)) }\n", "alpine.sha256",
        "something other than 0-9 and a-f"),
    BrokenRecipe("kubesolo: { release: »v1.1.2 }\n", "kubesolo.release", "its cgroup driver is always systemd's"),
    BrokenRecipe("kubesolo: { release: »1.2.2 }\n", "kubesolo.release", "write v1.2.2"),
    BrokenRecipe("kubesolo: { release: »newest }\n", "kubesolo.release", "is not a KubeSolo release"),
    BrokenRecipe("kubesolo: { variant: »offlin }\n", "kubesolo.variant", "did you mean 'offline'?"),
    BrokenRecipe("kubesolo: { config: { »apiVersion: x } }\n", "kubesolo.config.apiVersion", "is written by ksbuild"),
    BrokenRecipe("kubesolo: { config: { »path: /data } }\n", "kubesolo.config.path", "set storage.data.mount instead"),
    BrokenRecipe(
        "kubesolo: { config: { api: { enabled: »yes } } }\n", "kubesolo.config.api.enabled",
        "is true to some readers of YAML and text to others"),
    BrokenRecipe("kubesolo: { config: { mode: »0644 } }\n", "kubesolo.config.mode", "some tools take for octal"),
    BrokenRecipe("kubesolo: { config: { x: ».inf } }\n", "kubesolo.config.x", "is no number that JSON knows"),
    passedOn("12345678901234567890"), passedOn("1e400"), passedOn("-1e400"), passedOn("1e-400"),
    passedOn("0xffffffffffffffffff"), passedOn("3.14159265358979323846"), passedOn("9223372036854775808"),
    BrokenRecipe("packages: [»nftables=1.1.1-r0]\n", "packages[0]", "apk drops a pin that the medium does not satisfy"),
    BrokenRecipe("packages: [»foo@edge]\n", "packages[0]", "is pinned"),
    BrokenRecipe("packages: [»'!foo']\n", "packages[0]", "it forbids a package"),
    BrokenRecipe("trust: [»release.pub]\n", "trust[0]", "is not a public key of minisign; write the 56 characters"),
    BrokenRecipe("trust: [»'\(publicKey)']\n", "trust[0]", "is not a public key of minisign"),
    BrokenRecipe(
        "trust: [»RWAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA]\n", "trust[0]",
        "is no public key of minisign"),
    BrokenRecipe("trust: [\(signingKey), »\(signingKey)]\n", "trust[1]", "key 88C3D2E9867412F9 is listed twice"),
    BrokenRecipe("trust: [»'file:none.pub']\n", "trust[0]", "which does not exist"),
    BrokenRecipe("trust: »\(signingKey)\n", "trust", "must be a list, not text"),
    BrokenRecipe("packages: [foo, »foo]\n", "packages[1]", "'foo' is listed twice"),
    BrokenRecipe("packages: [»'a b']\n", "packages[0]", "is not a package name"),
    BrokenRecipe("repositories: [»ftp://x]\n", "repositories[0]", "write a URL (https://…)"),
    BrokenRecipe(
        "repositories: [»https://bob:s3c@h/x]\n", "repositories[0]",
        "is not a package repository: it has a login, which everybody who has the overlay could read"),
    BrokenRecipe("layers: [»overlays/site]\n", "layers[0]", "does not exist; layers are directories"),
    BrokenRecipe("ownPackages: { directory: »none, key: /etc/passwd }\n", "ownPackages.directory", "is no directory"),
    BrokenRecipe("ownPackages: { directory: /usr, key: »none.rsa }\n", "ownPackages.key", "ksbuild keygen"),
    BrokenRecipe("layers: [»'~bob/x']\n", "layers[0]", "names another user's home directory"),
    BrokenRecipe("kernel: { console: [»/dev/ttyS0] }\n", "kernel.console[0]", "is a path; write ttyS0"),
    BrokenRecipe("kernel: { console: [»'ttyS0,115200'] }\n", "kernel.console[0]", "has a speed"),
    BrokenRecipe("kernel: { console: [»com1] }\n", "kernel.console[0]", "such as tty0, ttyS0"),
    BrokenRecipe("kernel: { console: [tty0, »tty0] }\n", "kernel.console[1]", "'tty0' is listed twice"),
    BrokenRecipe("kernel: { parameters: [»'a b'] }\n", "kernel.parameters[0]", "is not a word for the kernel"),
    BrokenRecipe("kernel: { parameters: [quiet, »quiet] }\n", "kernel.parameters[1]", "'quiet' is listed twice"),
    BrokenRecipe("kernel: { parameters: [»'a={node}'] }\n", "kernel.parameters[0]", "holds {node}, which not every"),
    BrokenRecipe("kernel: { parameters: [»'a={MAC}'] }\n", "kernel.parameters[0]", "holds {MAC}, which not every"),
    BrokenRecipe("kernel: { parameters: [»'a={UUID}'] }\n", "kernel.parameters[0]", "holds {UUID}, which not every"),
    BrokenRecipe("seed: { userData: »user-data }\n", "seed.userData", "is not a reference to a file; write file:PATH"),
    BrokenRecipe("seed: { userData: »file:user-data }\n", "seed.userData", "which does not exist"),
    BrokenRecipe("seed: { instanceID: »'a b' }\n", "seed.instanceID", "is not an instance-id"),
    BrokenRecipe("portainer: »{ edgeID: x }\n", "portainer.edgeKey", "is missing"),
    BrokenRecipe(
        "portainer: { edgeID: x, edgeKey: »aHR0cHM }\n", "portainer.edgeKey",
        "is not a reference; write file:PATH or env:NAME; a secret does not belong into a recipe"),
    BrokenRecipe("proxy: { http: »'http://me:word@proxy:1' }\n", "proxy.http", "is not a proxy; write a URL such as"),
    BrokenRecipe("proxy: { http: »proxy:3128 }\n", "proxy.http", "is not a proxy; write a URL such as"),
    BrokenRecipe("registries: { docker.io: »{} }\n", "registries['docker.io'].mirrors", "is missing"),
    BrokenRecipe(
        "registries: { »'https://docker.io': { mirrors: ['https://m'] } }\n", "registries['https://docker.io']",
        "is a URL or a path; write the host alone"),
    BrokenRecipe(
        "registries: { docker.io: { mirrors: [»'https://me:word@m'] } }\n", "registries['docker.io'].mirrors[0]",
        "holds a name or a password; put a hosts.toml with a header into a layer"),
    BrokenRecipe("health: { stable: »0 }\n", "health.stable", "is 0, and must be 1 to 3600"),
    BrokenRecipe("health: { timeout: »59 }\n", "health.timeout", "is 59, and must be 60 to 86400"),
    BrokenRecipe(
        "health: { timeout: 60, stable: »60 }\n", "health.stable",
        "is 60 s, which never pass within the timeout of 60 s; make it shorter"),
    BrokenRecipe("health: { stable: »600 }\n", "health.stable", "never pass within the timeout of 600 s"),
    BrokenRecipe("epoch: »-1\n", "epoch", "is -1, and must be 0 to 4294967295"),
    BrokenRecipe("epoch: »4294967296\n", "epoch", "and must be 0 to 4294967295"),
    BrokenRecipe("epoch: »1e9\n", "epoch", "must be a whole number, 0 to 4294967295, not 1e9; write 1000000000"),
    BrokenRecipe("epoch: »1.5\n", "epoch", "must be a whole number, 0 to 4294967295, not 1.5"),
    BrokenRecipe("vm: { cpus: »2.0 }\n", "vm.cpus", "must be a whole number, 1 to 256, not 2.0; write 2"),
    BrokenRecipe("vm: { memory: »1.5 }\n", "vm.memory", "must be a number of bytes or a size such as 8GiB, not 1.5"),
    BrokenRecipe("epoch: »'5'\n", "epoch", "write 5 without quotes"),
    BrokenRecipe("epoch: »017\n", "epoch", "begins with 0"),
    BrokenRecipe("vm: { cpus: »0 }\n", "vm.cpus", "is 0, and must be 1 to 256"),
    BrokenRecipe("vm: { memory: »1G }\n", "vm.memory", "it has a unit that means two things; write 1GiB"),
    BrokenRecipe("vm: { memory: »2 gb }\n", "vm.memory", "it has a unit that means two things; write 2GiB"),
    BrokenRecipe("vm: { memory: »\"8GiB\\n\" }\n", "vm.memory", "it holds a blank or a line break; write 8GiB"),
    BrokenRecipe("vm: { memory: »8 GiB }\n", "vm.memory", "it holds a blank or a line break; write 8GiB"),
    BrokenRecipe("vm: { memory: »8gib }\n", "vm.memory", "it has its unit in other letters; write 8GiB"),
    BrokenRecipe("vm: { memory: »08GiB }\n", "vm.memory", "it begins with 0; write 8GiB"),
    BrokenRecipe("vm: { memory: »8GiBs }\n", "vm.memory", "is not a size; write a whole number and KiB, MiB"),
    BrokenRecipe("vm: { memory: »64MiB }\n", "vm.memory", "is 67108864 bytes, and must be at least 536870912"),
    BrokenRecipe(
        "storage: { data: { size: »1KiB } }\n", "storage.data.size", "is 1024 bytes, and must be at least 67108864"),
    BrokenRecipe("vm: { memory: »9999999TiB }\n", "vm.memory", "is larger than any disk"),
    BrokenRecipe("name: »\"a\\n\"\n", "name", "is not a name of artefacts"),
    BrokenRecipe("vm: { memory: »99999999999TiB }\n", "vm.memory", "is larger than any disk"),
    BrokenRecipe("vm: { disk: »536870913 }\n", "vm.disk", "whole sectors of 512 bytes"),
    BrokenRecipe("vm: { network: »'' }\n", "vm.network", "'' is not the name of a libvirt network"),
]

let brokenNetworks: [BrokenRecipe] = [
    eth("{ dhcp4: »yes }", "dhcp4", "write true"),
    eth("{ dhcp4: »'true' }", "dhcp4", "write true without quotes"),
    eth("{ dhcp4: »1 }", "dhcp4", "must be true or false, not a number"),
    eth("{ addresses: [»192.0.2.10] }", "addresses[0]", "write 192.0.2.10/24 if that is the net"),
    eth("{ addresses: [»192.0.2.256/24] }", "addresses[0]", "is not an address with the length of its prefix"),
    eth("{ addresses: [»192.0.2.10/33] }", "addresses[0]", "has no prefix length that IPv4 knows; write 1 to 32"),
    eth("{ addresses: [»192.0.2.0/24] }", "addresses[0]", "192.0.2.0 is the address of 192.0.2.0/24"),
    eth("{ addresses: [»192.0.2.255/24] }", "addresses[0]", "192.0.2.255 is the broadcast address of 192.0.2.0/24"),
    eth("{ addresses: [»192.0.2.127/25] }", "addresses[0]", "is the broadcast address of 192.0.2.0/25"),
    eth("{ addresses: [»'2001:db8::/64'] }", "addresses[0]", "is the anycast address of the routers"),
    eth("{ addresses: [»127.0.0.1/8] }", "addresses[0]", "is a loop-back address"),
    eth("{ addresses: [»224.0.0.5/24] }", "addresses[0]", "is a multicast address"),
    eth("{ addresses: [»'::ffff:192.0.2.1/120'] }", "addresses[0]", "is an IPv4 address written as IPv6"),
    eth("{ addresses: [192.0.2.10/24, »192.0.2.10/25] }", "addresses[1]", "192.0.2.10 is listed twice"),
    eth("{ addresses: »192.0.2.10/24 }", "addresses", "must be a list, not text; write [VALUE]"),
    eth("{ dhcp4: true, gateway4: »192.0.2.1 }", "gateway4", "the interface has no static IPv4 address"),
    eth(
        "{ addresses: [192.0.2.10/24], gateway4: »192.0.3.1 }", "gateway4",
        "192.0.3.1 is outside the net of this interface (192.0.2.0/24)"),
    eth("{ addresses: [192.0.2.10/24], gateway4: »192.0.2.10 }", "gateway4", "is this interface's own address"),
    eth(
        "{ addresses: [192.0.2.10/24], gateway4: »'2001:db8::1' }", "gateway4",
        "is not an IPv4 address; use gateway6 for it"),
    eth("{ addresses: [192.0.2.10/24], gateway4: »192.0.2.1/24 }", "gateway4", "write the address alone"),
    eth("{ dhcp4: true, mtu: »67 }", "mtu", "is 67, and must be 68 to 65535"),
    eth("{ acceptRA: true, dhcp4: true, mtu: »1279 }", "mtu", "IPv6 needs at least 1280"),
    eth("{ dhcp4: true, nameservers: [»127.0.0.1] }", "nameservers[0]", "is the node itself"),
    eth("{ dhcp4: true, nameservers: [»dns.example.org] }", "nameservers[0]", "is not an IP address"),
    eth("{ dhcp4: true, vlan: { id: »4095, link: eth1 } }, eth1: {}", "vlan.id", "is 4095, and must be 1 to 4094"),
    eth("{ dhcp4: true, vlan: { id: 5, link: »eth1 } }", "vlan.link", "'eth1' is not among the interfaces"),
    eth("{ dhcp4: true, vlan: { id: 5, link: »eth0 } }", "vlan.link", "cannot stand on itself"),
    eth("{ dhcp4: true, bond: { members: »[] } }", "bond.members", "a bond without members carries nothing"),
    eth("{ dhcp4: true, bond: { members: [e1], mode: »802.3a } }, e1: {}", "bond.mode", "did you mean '802.3ad'?"),
    eth(
        "{ dhcp4: true, bond: { members: [e1] }, bridge: »{ ports: [e1] } }, e1: {}", "bridge", "is one thing too many"),
    eth(
        "{ dhcp4: true, bridge: { ports: [»e1] } }, e1: { dhcp4: true }", "bridge.ports[0]", "has addresses of its own"),
    eth("{ dhcp4: true, bridge: { ports: [e1, »e1] } }, e1: {}", "bridge.ports[1]", "listed twice"),
    BrokenRecipe(
        "network: { interfaces: »{} }\n", "network.interfaces", "is empty, and KubeSolo needs an IPv4 address"),
    BrokenRecipe(
        "network: { interfaces: { »averylonginterfacename: { dhcp4: true } } }\n",
        "network.interfaces.averylonginterfacename", "is 22 bytes long (the most is 15)"),
    BrokenRecipe(
        "network: { interfaces: { »lo: {}, eth0: { dhcp4: true } } }\n", "network.interfaces.lo",
        "is the loop-back interface"),
    BrokenRecipe(
        "network: { interfaces: { »'eth0:1': { dhcp4: true } } }\n", "network.interfaces['eth0:1']",
        "is not an interface name"),
    BrokenRecipe(
        "network: { interfaces: { a: { addresses: [192.0.2.1/24] }, b: { addresses: [»192.0.2.1/24] } } }\n",
        "network.interfaces.b.addresses[0]", "192.0.2.1 is also the address of a"),
    BrokenRecipe(
        """
        network:
          interfaces:
            a: { addresses: [192.0.2.2/24], gateway4: 192.0.2.1 }
            b: { addresses: [198.51.100.2/24], gateway4: »198.51.100.1 }
        """, "network.interfaces.b.gateway4", "is a second default gateway; a has the first"),
    BrokenRecipe(
        "network: { interfaces: { »a: { dhcp4: true, vlan: { id: 1, link: b } }, b: { vlan: { id: 2, link: a } } } }\n",
        "network.interfaces.a", "stands on itself by way of b; break the circle"),
    BrokenRecipe(
        """
        network:
          interfaces:
            a: { dhcp4: true, vlan: { id: 1, link: d } }
            b: { vlan: { id: 2, link: c } }
            »c: { vlan: { id: 3, link: e } }
            d: { vlan: { id: 4, link: c } }
            e: { vlan: { id: 5, link: d } }
        """, "network.interfaces.c", "stands on itself by way of e, d; break the circle"),
    BrokenRecipe(
        "network: { interfaces: { p: {}, a: { dhcp4: true, bridge: { ports: [p] } }, b: { bridge: { ports: [»p] } } } }\n",
        "network.interfaces.b.bridge.ports[0]", "'p' already belongs to a"),
    BrokenRecipe("network: { search: [»'exa mple'] }\n", "network.search[0]", "is not a domain name"),
    BrokenRecipe("network: { nameservers: [192.0.2.1, »192.0.2.1] }\n", "network.nameservers[1]", "is listed twice"),
    BrokenRecipe("network: { nameservers: [»0.0.0.0] }\n", "network.nameservers[0]", "is no host's address"),
]

let brokenAccess: [BrokenRecipe] = [
    user("{ name: »root }", "name", "'root' is not a user name: it is locked on every node"),
    user("{ name: »wheel }", "name", "it is a user or group of Alpine itself"),
    user("{ name: »Alice }", "name", "is not a user name"),
    user("{ name: »9a }", "name", "does not begin with a letter"),
    user("{ name: a, uid: »0 }", "uid", "is 0, and must be 1000 to 59999"),
    user(
        "{ name: a, authorizedKeys: [»AAAA] }", "authorizedKeys[0]", "does not begin with a type of key that is known"),
    user("{ name: a, authorizedKeys: [»ssh-ed25519] }", "authorizedKeys[0]", "has a type but no key after it"),
    user("{ name: a, authorizedKeys: [»\(publicKey.dropLast(30))] }", "authorizedKeys[0]", "is cut off or damaged"),
    user(
        "{ name: a, authorizedKeys: [»\(publicKey.split(separator: "I").joined(separator: "J"))] }",
        "authorizedKeys[0]", "is "),
    user("{ name: a, authorizedKeys: [»'\(shortKey)'] }", "authorizedKeys[0]", "is an RSA key of 1024 bits"),
    user(
        "{ name: a, authorizedKeys: [»'-----BEGIN OPENSSH PRIVATE KEY----- b3Blb'] }", "authorizedKeys[0]",
        "is a private key, which must stay where it is"),
    user(
        "{ name: a, authorizedKeys: [»'file:no.pub'] }", "authorizedKeys[0]",
        "'/nonexistent/no.pub', which does not exist"),
    user("{ name: a, authorizedKeys: [»'file:~/x.pub'] }", "authorizedKeys[0]", "no home directory is known"),
    user(
        "{ name: a, authorizedKeys: [»'env:NO_SUCH'] }", "authorizedKeys[0]",
        "environment variable 'NO_SUCH', which is not set"),
    user("{ name: a, authorizedKeys: [»'file:/'] }", "authorizedKeys[0]", "which is a directory"),
    user("{ name: a, authorizedKeys: [»'file:/dev/zero'] }", "authorizedKeys[0]", "which is no regular file"),
    user(
        "{ name: a, passwordHash: »$6$salt$hash }", "passwordHash",
        "is not a reference; write file:PATH or env:NAME; a secret does not belong into a recipe"),
    user("{ name: a }, { name: »a }", "name", "'a' is listed twice", index: 1),
    user("{ name: a, uid: 1000 }, { name: b, uid: »1000 }", "uid", "1000 is also the number of 'a'", index: 1),
    BrokenRecipe("access: { hostKeys: »persist }\n", "access.hostKeys", "write persistent, fresh or file:PATH"),
    BrokenRecipe("access: { hostKeys: »file:none }\n", "access.hostKeys", "which does not exist"),
    disk(
        "device: »/dev/vda", "device",
        "is a position, and which disk has it changes with the media attached; use serial, size or a link"),
    disk("device: »disk1", "device", "it is no device"),
    disk("label: »SEVENTEEN-BYTES-X", "label", "is 17 bytes long (ext4 holds 16); shorten it"),
    disk("label: »'a b'", "label", "is not a file system label"),
    disk("mount: »var/lib", "mount", "is not a mount point; write an absolute path"),
    disk("mount: »/var/lib/../x", "mount", "is not a mount point"),
    disk("mount: »/", "mount", "is not a mount point"),
    disk("mount: »/etc/kubesolo", "mount", "is in a directory that the system needs for itself"),
    disk("mount: »/var", "mount", "would hide what is in it"),
    disk("snapshots: »0", "snapshots", "is 0, and must be 1 to 100"),
    disk("format: »always", "format", "write if-blank or never"),
    disk("format: »if_blank", "format", "did you mean 'if-blank'?"),
    disk("serial: a, size: »8GiB", "size", "is one thing too many: a disk is told by serial, by size or by device"),
    disk("size: »8589934593", "size", "whole sectors of 512 bytes"),
    disk("serial: »'a b'", "serial", "is not a disk's serial number"),
]

private func passedOn(_ number: String) -> BrokenRecipe {
    BrokenRecipe(
        "kubesolo: { config: { list: [1, »\(number)] } }\n", "kubesolo.config.list[1]",
        "is a number that 64 bits do not hold as it is written; write fewer digits, or write it in quotes")
}

private func eth(_ body: String, _ key: String, _ message: String) -> BrokenRecipe {
    BrokenRecipe("network:\n  interfaces: { eth0: \(body) }\n", "network.interfaces.eth0.\(key)", message)
}

private func user(_ body: String, _ key: String, _ message: String, index: Int = 0) -> BrokenRecipe {
    BrokenRecipe("access:\n  users: [\(body)]\n", "access.users[\(index)].\(key)", message)
}

private func disk(_ body: String, _ key: String, _ message: String) -> BrokenRecipe {
    BrokenRecipe("storage:\n  data: { \(body) }\n", "storage.data.\(key)", message)
}
