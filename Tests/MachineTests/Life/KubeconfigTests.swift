import Testing

@testable import Machine

@Suite struct KubeconfigTests {
    /// What a node gives, with a user and a cluster of a test's choice.
    private static func given(cluster: String = "", user: String = "client-certificate-data: Y2VydA==") -> String {
        """
        apiVersion: v1
        kind: Config
        clusters:
        - name: kubernetes
          cluster: { server: "https://127.0.0.1:6443", certificate-authority-data: Q0E= \(cluster) }
        - name: other
          cluster: { server: "https://192.0.2.1:6443", certificate-authority-data: b3RoZXI= }
        contexts:
        - name: kubernetes-admin@kubesolo
          context: { cluster: kubernetes, user: kubernetes-admin }
        current-context: kubernetes-admin@kubesolo
        users:
        - name: kubernetes-admin
          user:
            client-key-data: a2V5
            \(user)
        """
    }

    private static let place = NodeAccess.Endpoint(address: "192.0.2.7", port: 16443)

    @Test func `the cluster of the current context gets the machine's name and address`() throws {
        let made = try Kubeconfig(Self.given(), for: "edge", at: Self.place).text
        #expect(
            made == """
                apiVersion: v1
                kind: Config
                clusters:
                - name: edge
                  cluster:
                    certificate-authority-data: Q0E=
                    server: https://192.0.2.7:16443
                contexts:
                - name: edge
                  context:
                    cluster: edge
                    user: edge
                current-context: edge
                users:
                - name: edge
                  user:
                    client-certificate-data: Y2VydA==
                    client-key-data: a2V5

                """)
    }

    @Test func `a node cannot name programs, files or proxies of this host`() throws {
        let user = """
            client-certificate-data: Y2VydA==
                exec: { apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, "touch /tmp/x"] }
                tokenFile: /etc/shadow
                auth-provider: { name: oidc }
            """
        let hostile = Self.given(
            cluster: ", proxy-url: 'http://192.0.2.66', insecure-skip-tls-verify: true", user: user)
        #expect(
            try Kubeconfig(hostile, for: "edge", at: Self.place).text
                == Kubeconfig(Self.given(), for: "edge", at: Self.place).text)
    }

    @Test(arguments: [
        "", "[]", "x: &a [*a]", "clusters: 3", "\u{0}", Self.given(user: "").replacing("Q0E=", with: "[]"),
    ])
    func `what is no configuration is refused`(text: String) {
        let error = #expect(throws: MachineError.self) { try Kubeconfig(text, for: "edge", at: Self.place) }
        #expect(error?.code == .damagedRecord)
    }

    @Test func `other clusters stay, and one of the same name is replaced`() throws {
        let edge = try Kubeconfig(Self.given(), for: "edge", at: Self.place)
        let home = try Kubeconfig(Self.given(), for: "home", at: .init(address: "192.0.2.9", port: 6443))
        let both = try home.merged(into: edge.text, named: "config")
        #expect(both.contains("192.0.2.7:16443") && both.contains("192.0.2.9:6443"))
        #expect(both.contains("current-context: home\n"))
        let moved = try Kubeconfig(Self.given(), for: "edge", at: .init(address: "192.0.2.8", port: 6443))
        let again = try moved.merged(into: both, named: "config")
        #expect(!again.contains("192.0.2.7") && again.contains("192.0.2.8:6443") && again.contains("192.0.2.9:6443"))
        #expect(again.split(separator: "\n").count { $0 == "- name: edge" } == 3)
        #expect(try moved.merged(into: " \n", named: "config") == moved.text)
        #expect(throws: MachineError.self) { try moved.merged(into: "- a\n", named: "config") }
    }

    @Test(
        arguments: [
            ("192.0.2.1", true), ("-oProxyCommand=x", false), ("192.0.2.1 x", false), ("::1", false), ("", false),
            ("192.0.2", false), ("192.0.2.1\n", false),
        ])
    func `only an IPv4 address is taken for the node's`(text: String, isAddress: Bool) {
        #expect(NodeAccess.isIPv4(text) == isAddress)
    }
}
