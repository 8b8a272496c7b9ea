internal import Node

extension KubeSoloSettings {
    /// Refuses an address of the node that it never gets: KubeSolo would wait for it for ever.
    ///
    /// What a DHCP server gives nobody knows beforehand.
    ///
    /// - Throws: ``OverlayError``.
    func checkNodeIP(on network: Network) throws(OverlayError) {
        guard !nodeIP.isEmpty else { return }
        let subject = "kubesolo.config.network.nodeIP"
        guard let address = IPAddress(nodeIP), address.family == .ipv4 else {
            throw OverlayError(
                .invalidValue, subject: subject,
                detail: "\(String(reflecting: nodeIP)) is no IPv4 address, for which the node would wait; correct it")
        }
        let own = network.interfaces.flatMap(\.addresses).map(\.address)
        guard !network.interfaces.contains(where: \.dhcp4), !own.contains(address) else { return }
        throw OverlayError(
            .contradiction, subject: subject,
            detail:
                "\(address) is on no interface and no interface uses DHCP, so the node would wait for it; "
                + "use an address of the node, or leave it out")
    }
}

extension Overlay {
    /// What in the node's network and in KubeSolo's works otherwise than one may expect.
    static func networkWarnings(_ node: NodeImage) -> [String] {
        var warnings: [String] = []
        for interface in node.network.interfaces where interface.dhcp4 {
            if interface.addresses.contains(where: { $0.address.family == .ipv4 }) {
                warnings.append(
                    "network: \(interface.name) has DHCP and static IPv4 addresses; losing the lease removes both")
            }
        }
        if node.network.nameservers.isEmpty && !node.network.interfaces.contains(where: \.dhcp4) {
            warnings.append(
                "network: no name servers are named and no interface uses DHCP, so neither the node nor its pods "
                    + "resolve names; name some")
        }
        return warnings
    }
}
