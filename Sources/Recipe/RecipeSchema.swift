internal import Artefact
internal import Node

/// Everything that a recipe may say.
enum RecipeSchema {
    /// The only version of the recipe's language.
    static let apiVersion = "ksbuild/v1"

    /// Keys that a later version takes and this one does not.
    static let announced: Set<String> = ["images"]

    /// The recipe.
    static let root = Schema.object([
        SchemaField(
            "apiVersion", .choice([apiVersion]), .required, "The version of this format."),
        SchemaField(
            "name", .text(.name), .value(.string(Recipe.defaultName)), "The first part of every artefact's name."),
        SchemaField(
            "hostname", .text(.hostName), .follows("`name`"),
            "The host name (RFC 1123, lower case), which becomes the name of the Kubernetes node."),
        SchemaField("alpine", alpine, .follows("the defaults below"), "The Alpine release that boots."),
        SchemaField("kubesolo", kubesolo, .follows("the defaults below"), "The KubeSolo that runs on it."),
        SchemaField("network", network, .follows("DHCP on `eth0`"), "How the node reaches its networks."),
        SchemaField("access", access, .follows("the defaults below"), "Who may log in."),
        SchemaField("storage", storage, .follows("the defaults below"), "Where the node keeps its state."),
        SchemaField(
            "packages", .list(.text(.package), most: 256), .value(.sequence([])),
            "Alpine packages in addition to those that every node has: "
                + Recipe.basePackages.map { "`\($0)`" }.joined(separator: ", ")
                + ". Plain names only: apk drops a pin that the medium does not satisfy without a word. "
                + "Each must be on Alpine's image, in the mirror's branch or among `ownPackages`, or the build fails."),
        SchemaField(
            "repositories", .list(.text(.repository), most: 32), .value(.sequence([])),
            "Lines for `/etc/apk/repositories`, for use after boot: URLs or absolute paths."),
        SchemaField(
            "layers", .list(.text(.path), most: 64), .value(.sequence([])),
            "Directories, relative to the recipe, that are laid over the generated files in this order; the last wins. "
                + "Links and modes are kept, but write permission is the owner's alone."),
        SchemaField(
            "ownPackages", ownPackages, .nothing,
            "Package files that are not Alpine's, which the boot medium and the seed carry."),
        SchemaField("kernel", kernel, .follows("the defaults below"), "Consoles and kernel parameters."),
        SchemaField(
            "seed", seed, .follows("the defaults below"),
            "What the NoCloud seed says beyond what follows from the rest."),
        SchemaField("portainer", ServiceSchema.portainer, "Reports the node to Portainer as an edge device."),
        SchemaField(
            "proxy", ServiceSchema.proxy, "The proxies through which KubeSolo and its containerd reach what is outside."
        ),
        SchemaField(
            "registries", .table(.registry, ServiceSchema.registry),
            "Mirrors of container registries, by the registry's name in names "
                + "of images, such as `docker.io`; `_default` stands for every one that is not named."),
        SchemaField("health", ServiceSchema.health, .follows("the defaults below"), "When the node counts as healthy."),
        SchemaField(
            "epoch", .integer(epochs), .value(.integer(BuildStamp.defaultEpoch)),
            "Seconds since 1970-01-01T00:00:00Z that every time stamp has. `SOURCE_DATE_EPOCH` in the environment wins."
        ),
        SchemaField(
            "trust", .list(.text(.signingKey), most: 64), .value(.sequence([])),
            "Public keys of `ksbuild keygen --signing` or minisign, or `file:PATH`. Where there are any, one of them must have "
                + "signed a bundle, or it is not activated."),
        SchemaField(
            "nodes", FleetSchema.nodes,
            "A fleet: the nodes by name, each with what differs from the rest of the recipe. Names (RFC 1123 labels), hardware "
                + "addresses and static addresses are unique."),
        SchemaField("vm", machine, .follows("the defaults below"), "The virtual machine that `ksbuild vm` makes."),
    ])

    /// The times that every format can hold: gzip ends in 2106.
    static let epochs: ClosedRange<Int64> = 0...4_294_967_295

    private static let alpine = Schema.object([
        SchemaField(
            "release", .text(.alpineRelease), .value(.string(Recipe.defaultAlpineVersion)),
            "The release: an exact one, or a branch such as `'3.23'` or `latest-stable`, of which `ksbuild.lock` names the "
                + "release that is meant."),
        SchemaField(
            "flavor", .choice(AlpineRelease.Flavor.allCases.map(\.rawValue)), .value(.string("virt")),
            "The flavour of the image: `virt` for virtual machines, `standard` and `extended` for hardware."),
        SchemaField(
            "arch", .choice(Architecture.allCases.map(\.rawValue)), .value(.string("x86_64")),
            "The processor architecture."),
        SchemaField("sha256", .text(.sha256), "The digest that the ISO image must have."),
    ])

    private static let kubesolo = Schema.object([
        SchemaField(
            "release", .text(.kubeSoloVersion), .value(.string(Recipe.defaultKubeSoloVersion)),
            "The release, at least \(Recipe.oldestKubeSoloVersion), or `latest`, of which `ksbuild.lock` names the one that is "
                + "meant."),
        SchemaField(
            "variant", .choice(KubeSolo.Variant.allCases.map(\.rawValue)), .value(.string("offline")),
            "`offline` carries all container images that it starts with; `online` pulls them."),
        SchemaField(
            "sha256", .text(.sha256), "The digest that the release tarball, or the bare binary, must have."),
        SchemaField(
            "config", .configuration, .value(.mapping([])),
            "KubeSolo's own configuration below `apiVersion` and `kind`, passed on as it is. "
                + "`path` follows from `storage.data.mount`."),
    ])

    static let network = Schema.object([
        SchemaField(
            "interfaces", .table(.interfaceName, interface), .follows("`eth0: { dhcp4: true }`"),
            "The interfaces by name. Those that others stand on are brought up first."),
        SchemaField(
            "nameservers", .list(.text(.address), most: 16), .value(.sequence([])),
            "Name servers; with none, DHCP says which."),
        SchemaField("search", .list(.text(.domainName), most: 32), .value(.sequence([])), "Search domains."),
    ])

    private static let interface = Schema.object([
        SchemaField("dhcp4", .flag, .value(.bool(false)), "Whether an IPv4 address is asked for by DHCP."),
        SchemaField(
            "acceptRA", .flag, .value(.bool(false)), "Whether an IPv6 address is taken from router advertisements."),
        SchemaField(
            "addresses", .list(.text(.interfaceAddress), most: 64), .value(.sequence([])),
            "Static addresses of either family with the length of their prefix."),
        SchemaField(
            "gateway4", .text(.address), "The default gateway for IPv4, inside one of the nets of `addresses`."),
        SchemaField(
            "gateway6", .text(.address),
            "The default gateway for IPv6: link-local, or inside one of the nets of `addresses`."),
        SchemaField(
            "nameservers", .list(.text(.address), most: 16), .value(.sequence([])),
            "Name servers; they join those of `network.nameservers`."),
        SchemaField(
            "mtu", .integer(68...65535), .follows("the device"),
            "The largest packet in bytes; at least 1280 where IPv6 is used."),
        SchemaField(
            "vlan",
            .object([
                SchemaField("id", .integer(1...4094), .required, "The VLAN's number (802.1Q)."),
                SchemaField("link", .text(.interfaceName), .required, "The interface that carries it."),
            ]), "Makes the interface a VLAN."),
        SchemaField(
            "bridge",
            .object([
                SchemaField(
                    "ports", .list(.text(.interfaceName), most: 64), .value(.sequence([])), "The interfaces it joins.")
            ]), "Makes the interface a bridge."),
        SchemaField(
            "bond",
            .object([
                SchemaField("members", .list(.text(.interfaceName), most: 64), .required, "The interfaces it bundles."),
                SchemaField(
                    "mode", .choice(Recipe.bondModes), .value(.string("active-backup")), "How it bundles them."),
            ]), "Makes the interface a bond."),
    ])

    static let access = Schema.object([
        SchemaField(
            "users", .list(user, most: 64), .follows("one user `\(Recipe.defaultUser)` with `doas: true` and no keys"),
            "The users that are made at boot. `root` is always locked."),
        SchemaField(
            "hostKeys", .text(.hostKeys), .value(.string("persistent")),
            "Where the SSH host keys come from: `persistent` (made at first boot, kept on the data disk), `fresh` (made at "
                + "every boot) or `file:PATH` (a private key in OpenSSH's format that goes into the image)."),
    ])

    private static let user = Schema.object([
        SchemaField("name", .text(.userName), .required, "The login name."),
        SchemaField(
            "uid", .integer(1000...59999), .follows("the first free number from \(User.firstIdentifier)"),
            "The number of the user and of the group of the same name."),
        SchemaField(
            "doas", .flag, .value(.bool(false)), "Whether the user may become root with `doas`, without a password."),
        SchemaField(
            "authorizedKeys", .list(.text(.key), most: 256), .value(.sequence([])),
            "Public keys that may log in: lines of `.pub` files, `file:PATH` or `env:NAME`."),
        SchemaField(
            "passwordHash", .text(.secretReference), secret: true,
            "A `crypt(3)` hash (`$6$`, `$5$`, `$y$` or `$2b$`) for the console, as `file:PATH` or `env:NAME`."),
    ])

    static let storage = Schema.object([
        SchemaField("data", dataDisk, .follows("the defaults below"), "The disk that keeps the node's state.")
    ])

    private static let dataDisk = Schema.object([
        SchemaField(
            "label", .text(.label16), .value(.string(DataDisk().label)), "The label of its ext4 file system."),
        SchemaField(
            "serial", .text(.serial), .follows("`\(DataDisk.defaultSerial)`, unless `size` or `device` is given"),
            "The serial number of the disk that may be formatted; virtio tells at most 20 bytes of it."),
        SchemaField(
            "size", .byteCount(atLeast: 67_108_864),
            "The exact size of the disk that may be formatted, a multiple of 512 bytes."),
        SchemaField(
            "device", .text(.diskLink),
            "The disk that may be formatted, by a link below `/dev/disk/by-id` or `/dev/disk/by-path`. "
                + "A position such as `/dev/vda` is refused: which disk has it changes."),
        SchemaField(
            "mount", .text(.mountPoint), .value(.string(DataDisk().mountPoint)),
            "Where it is mounted; also KubeSolo's `path`."),
        SchemaField(
            "format", .choice(DataDisk.Format.allCases.map(\.rawValue)), .value(.string(DataDisk().format.rawValue)),
            "Whether a matching disk may be formatted: `if-blank` where nothing at all is on it, or `never`."),
        SchemaField(
            "snapshots", .integer(1...100), .value(.integer(Int64(DataDisk().snapshots))),
            "How many snapshots of the datastore the node keeps; one is taken before another KubeSolo opens it."),
    ])

    private static let ownPackages = Schema.object([
        SchemaField("directory", .text(.path), .required, "The directory that holds the files `*.apk`."),
        SchemaField(
            "key", .text(.path), .required,
            "The private key that vouches for them, `NAME.rsa`, as `ksbuild keygen` makes it. It goes into no artefact; "
                + "its public half goes into `/etc/apk/keys`."),
    ])

    private static let kernel = Schema.object([
        SchemaField(
            "console", .list(.text(.console), most: 16),
            .value(.sequence(Recipe.defaultConsoles.map { .string($0) })), "The consoles that get a login."),
        SchemaField(
            "parameters", .list(.text(.kernelParameter), most: 64), .value(.sequence([])),
            "Further words for the kernel of the boot medium. A seed image cannot carry them."),
    ])

    static let seed = Schema.object([
        SchemaField(
            "instanceID", .text(.instanceID), .value(.string("content")),
            "`content` changes it when, and only when, the seed changes; any other text is taken as it is."),
        SchemaField(
            "userData", .text(.fileReference), secret: true,
            "A `#cloud-config` file that is laid over the generated one key by key."),
        SchemaField("vendorData", .text(.fileReference), secret: true, "A file that is taken as vendor-data."),
    ])

    private static let machine = Schema.object([
        SchemaField(
            "memory", .byteCount(atLeast: 536_870_912), .value(.string("1GiB")), "Its memory, at least 512MiB."),
        SchemaField("cpus", .integer(1...256), .value(.integer(2)), "Its processors."),
        SchemaField("disk", .byteCount(atLeast: 134_217_728), .value(.string("8GiB")), "The size of its data disk."),
        SchemaField(
            "network", .text(.networkName), .value(.string("default")), "The libvirt network it is attached to."),
    ])
}
