import Artefact
import Node
import SystemPackage
import TestSupport

@testable import Recipe

/// Reads a recipe from a text, faults and all.
func reading(
    _ text: String, directory: FilePath = "/nonexistent", environment: [String: String] = [:], home: FilePath? = nil
) -> Reading {
    Reading(
        Array(text.utf8), named: "r.yaml", directory: directory,
        surroundings: Surroundings(environment: environment, workingDirectory: directory, home: home))
}

/// Decodes a recipe from a text and demands that nothing is wrong with it.
func decoded(
    _ text: String, directory: FilePath = "/nonexistent", environment: [String: String] = [:], home: FilePath? = nil
) throws -> DecodedRecipe {
    try RecipeFile.decode(
        Array(text.utf8), named: "r.yaml", directory: directory,
        surroundings: Surroundings(environment: environment, workingDirectory: directory, home: home))
}

/// A generator that gives the same numbers for the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// A public key that ssh-keygen made.
let publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBri6Ew5djAMn35AoLyao0bBuWNkmejiav/7nVq+jUWQ admin@example"

/// A public key that minisign made.
let signingKey = "RWT5EnSG6dLDiOeVqHSrHzh7g48eaYXKWePVK4W9cKzI/9LvSxskqA1I"

/// The file of another one.
let signingKeyFile = """
    untrusted comment: minisign public key 75B003C762BF29CF
    RWTPKb9ixwOwdcwEAN2fzwCx5pZ1QTpyBqgKKgFxRBICyYc+1DKG6hU1

    """

/// An RSA key of 1024 bits that ssh-keygen made.
let shortKey =
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC1cmzu+9VG3rsMLf7wniE345RrQDmM1Gs4GdauT4xcwypONzM6BbJPMyUtuBo+acVcY6QqoD7nhqIaiu"
    + "4rvnR4n8SUFfDqBrXxEzvj/Ksn1ays3bxP6jwFvtxMgN1kFcU084Fm3aKhP72SxZe06wlPXmzSdhzwaBUgg3StDD59pw== short"

/// A recipe that says everything a recipe can say, for a directory with the files of ``makeSite(_:)``.
let fullRecipe = """
    apiVersion: ksbuild/v1
    name: edge
    hostname: edge-001.example.org
    alpine:
      release: 3.23.6
      flavor: standard
      arch: aarch64
      sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF
    kubesolo:
      release: v1.3.0
      variant: online
      sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      config:
        network: { mtu: 1400, nodeIP: 192.0.2.10 }
        extra: { edgeKey: top-secret-edge-key }
        kubernetes: { apiServer: { extraSANs: [edge.example.org, '10'], startupTimeoutSeconds: 900 } }
        ratio: 0.5
        nothing: null
    network:
      interfaces:
        eth0: { dhcp4: true, acceptRA: true, mtu: 1500, nameservers: [192.0.2.55] }
        eth1: {}
        eth2: {}
        eth3:
          addresses: [192.0.2.10/24, '2001:db8::10/64']
          gateway4: 192.0.2.1
          gateway6: fe80::1
          nameservers: [192.0.2.53]
        bond0: { bond: { members: [eth1, eth2], mode: 802.3ad } }
        br0: { addresses: [198.51.100.2/24], bridge: { ports: [bond0] } }
        br0.7: { dhcp4: true, vlan: { id: 7, link: br0 } }
      nameservers: [192.0.2.54]
      search: [example.org, lan]
    access:
      users:
        - name: alice
          uid: 1500
          doas: true
          authorizedKeys:
            - \(publicKey)
            - file:keys/bob.pub
          passwordHash: file:alice.secret
        - { name: bob, authorizedKeys: [env:BOB_KEY], passwordHash: env:BOB_HASH }
      hostKeys: file:host_key
    storage:
      data:
        label: STATE
        size: 8GiB
        mount: /var/lib/state
        format: never
    packages: [nftables, openssh, iptables]
    repositories: ['https://dl-cdn.alpinelinux.org/alpine/v3.23/main', /media/sdb1/apks]
    layers: [overlays/site, overlays/more]
    ownPackages: { directory: overlays/more, key: keys/mine.rsa }
    kernel:
      console: [tty0, ttyS0, hvc0]
      parameters: []
    seed:
      instanceID: edge-001-a
      userData: file:user-data.yaml
      vendorData: file:vendor-data
    portainer: { edgeID: abc-1, edgeKey: env:EDGE_KEY, image: registry.example.org/agent:2, async: true }
    proxy: { http: 'http://proxy.example.org:3128', https: env:PROXY, noProxy: [.example.org] }
    registries:
      docker.io: { mirrors: ['https://mirror.example.org', 'https://harbor.example.org/v2/docker.io'] }
      _default: { mirrors: ['http://192.0.2.9:5000'] }
    health: { timeout: 900, stable: 45 }
    epoch: 1700000000
    trust: [\(signingKey), 'file:keys/release.pub']
    vm: { memory: 2GiB, cpus: 4, disk: 17179869184, network: lab }
    """

/// The secrets of ``fullRecipe``'s files and environment.
let hashOfAlice = "$6$alicesalt$" + String(repeating: "A", count: 86)
let hashOfBob = "$5$bobsalt$" + String(repeating: "B", count: 43)
let surroundingValues = [
    "BOB_KEY": publicKey, "BOB_HASH": hashOfBob,
    "EDGE_KEY": "portainer-edge-key", "PROXY": "http://me:proxy-password@proxy.example.org:3129",
]

/// Makes the files that ``fullRecipe`` refers to.
///
/// - Returns: The bytes of the private host key.
func makeSite(_ scratch: borrowing Scratch) async throws -> String {
    try scratch.file("keys/release.pub", signingKeyFile)
    try scratch.file("keys/bob.pub", "# two keys\n\n\(publicKey)\n")
    try scratch.file("alice.secret", hashOfAlice + "\n", mode: .secret)
    try scratch.file("user-data.yaml", "#cloud-config\nchpasswd: { list: 'alice:user-data-secret' }\n")
    try scratch.file("vendor-data", "#cloud-config\nvendor: vendor-data-secret\n")
    try scratch.file("overlays/site/etc/motd", "hello\n")
    try scratch.file("overlays/more/etc/motd", "hello again\n")
    try scratch.file("keys/mine.rsa", "a key", mode: .secret)
    let key = scratch.path.appending("host_key").string
    _ = try await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "host", "-f", key])
    return String(decoding: try HostFile.read(FilePath(key), limit: 9999), as: UTF8.self)
}
