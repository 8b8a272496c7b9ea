import Node
import Testing

struct KubernetesReleaseTests {
    @Test(arguments: [("1.1", "1.34"), ("v1.2.2", "1.35"), ("v1.3.0-rc.1", "1.36"), ("1.2", "1.35")])
    func `a KubeSolo in the table is the Kubernetes of its minor release`(kubesolo: String, kubernetes: String) {
        #expect(KubernetesRelease.minor(ofKubeSolo: kubesolo) == kubernetes)
    }

    @Test(arguments: ["1.0", "1.4", "v2.1.0", "1", "", "1.20", "1.2x", "vv"])
    func `another one is not guessed at`(kubesolo: String) {
        #expect(KubernetesRelease.minor(ofKubeSolo: kubesolo) == nil)
    }
}
