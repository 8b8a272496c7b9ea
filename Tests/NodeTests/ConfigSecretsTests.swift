import Testing

@testable import Node

struct ConfigSecretsTests {
    private let secret = ConfigValue.string("hunter2")

    private func nested(_ path: String, _ value: ConfigValue) -> ConfigValue {
        path.split(separator: ".").reversed().reduce(value) { .mapping([.init(String($1), $0)]) }
    }

    @Test(arguments: [
        "portainer.edgeKey", "portainer.edge_key_b64", "portainer.edgeKeys", "portainer.tokens", "auth.passwd",
        "credentials.pass", "pki.caKey", "kubernetes.kubelet.bootstrapKubeconfig", "registry.password", "db.dbPass",
        "db.DB_PASS", "db-pwd", "tls.key", "API_TOKEN", "clientSecret", "api-key", "KEY", "kube_config.x",
        "bootstrap_kube-config", "wifi.psk", "a.creds.b.c",
    ])
    func `what sounds like a secret is one, with everything below it`(path: String) {
        for value in [
            secret, .integer(1234), .sequence([secret]), .mapping([.init("a", .sequence([.null, secret]))]),
            .sequence([.mapping([.init("pass", secret)])]),
        ] {
            let configuration = ConfigValue.sequence([.bool(true), nested(path, value)])
            #expect(configuration.holdsSecrets && configuration.secretPaths.count == 1)
            #expect(!"\(configuration.withoutSecrets)".contains("hunter2"))
            #expect(!"\(configuration.withoutSecrets)".contains("1234"))
        }
    }

    @Test(arguments: ["network.mtu", "portainer.edgeID", "compass", "bypass", "pinned", "passthrough", "operator", "é"])
    func `other names are no secrets`(path: String) {
        let configuration = nested(path, secret)
        #expect(!configuration.holdsSecrets && configuration.withoutSecrets == configuration)
    }

    @Test func `a secret that is not there is none`() {
        for value in [
            ConfigValue.null, .bool(true), .string(""), .sequence([]), .mapping([.init("enabled", .bool(true))]),
        ] {
            #expect(!nested("portainer.edgeKey", value).holdsSecrets)
        }
    }

    @Test func `the key of a label is no secret, and the key of a certificate is`() {
        func item(_ list: String, _ pairs: ConfigValue.Pair...) -> ConfigValue {
            nested("kubelet.\(list)", .sequence([.mapping(pairs)]))
        }
        let key = ConfigValue.Pair("key", secret)
        #expect(!item("taints", key).holdsSecrets && !item("registerWithTaints", key).holdsSecrets)
        #expect(!item("anything", key, .init("effect", .string("NoSchedule"))).holdsSecrets)
        #expect(!item("anything", key, .init("value", .string("x"))).holdsSecrets)
        #expect(item("anything", key).holdsSecrets)
        #expect(item("certificates", key, .init("cert", .string("x"))).holdsSecrets)
        #expect(
            item("taints", key, .init("token", secret)).secretPaths == [
                [.key("kubelet"), .key("taints"), .item(0), .key("token")]
            ])
    }
}
