import Artefact
import FoundationEssentials
import SystemPackage
import TestSupport
import Testing

/// cloud-init itself, judging seeds with its own code: the package unpacked below the lab, or the installed one.
///
/// The package is unpacked and never installed, because installed it would configure the machine at its next start.
enum CloudInitPeer {
    /// Debian's interpreter, for which Debian's modules are made.
    static let python = "/usr/bin/python3"

    static var environment: [String: String] {
        let unpacked = Product.lab.pushing("cloud-init/usr/lib/python3/dist-packages")
        return ["PYTHONPATH": unpacked.string, "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"]
    }

    /// What cloud-init makes of one directory of seed files.
    struct Verdict: Decodable {
        /// Why it refuses the seed; empty where it does not.
        let refusals: [String]
        let instanceID: String
        let localHostname: String
        /// The user-data as JSON with sorted keys.
        let config: String
        /// The network-config as JSON with sorted keys.
        let network: String
        /// `/etc/network/interfaces` as cloud-init would write it on Alpine.
        let interfaces: String
        /// The names of the interfaces that cloud-init knows of after reading the file.
        let names: [String]
        /// The digests of the user-data and vendor-data that the data source hands on.
        let userData: String
        let vendorData: String
    }

    /// Lets cloud-init read directories that hold the files of a seed.
    static func judge(_ directories: [FilePath], in scratch: FilePath) async throws -> [Verdict] {
        let list = scratch.appending("directories")
        try StagedFile.write(Array(directories.map { "\($0)\n" }.joined().utf8), to: list)
        let result = try await run(python, ["-c", program, list.string], environment: environment)
        try #require(result.succeeded, "cloud-init's code cannot be run, see 'make deps': \(result.errors)")
        return try JSONDecoder().decode([Verdict].self, from: Data(result.output.utf8))
    }

    private static let program = """
        import hashlib, json, os, shutil, sys, tempfile, logging
        from unittest import mock
        from cloudinit import helpers, safeyaml, util
        from cloudinit.config.schema import get_schema, validate_cloudconfig_file
        from cloudinit.net import eni, netplan, network_state
        from cloudinit.sources.DataSourceNoCloud import DataSourceNoCloud

        class Warnings(logging.Handler):
            def __init__(self):
                super().__init__(logging.WARNING)
                self.lines = []
            def emit(self, record):
                self.lines.append(record.getMessage())

        schema = get_schema()
        def judge(directory):
            refusals = []
            caught = Warnings()
            logging.getLogger().addHandler(caught)
            work = tempfile.mkdtemp()
            try:
                found = util.pathprefix2dict(
                    directory, required=["user-data", "meta-data"], optional=["vendor-data", "network-config"])
                try:
                    validate_cloudconfig_file(os.path.join(directory, "user-data"), schema)
                except Exception as error:
                    refusals.append("schema: %s" % error)
                os.makedirs(work + "/cloud/seed")
                shutil.copytree(directory, work + "/cloud/seed/nocloud")
                paths = helpers.Paths({"cloud_dir": work + "/cloud", "run_dir": work + "/run"})
                source = DataSourceNoCloud({"datasource": {"NoCloud": {"fs_label": None}}}, mock.Mock(), paths)
                with mock.patch("cloudinit.sources.DataSourceNoCloud.dmi.read_dmi_data", return_value=None):
                    if not source._get_data():
                        refusals.append("DataSourceNoCloud does not take it")
                network = source.network_config
                state = network_state.parse_net_config_data(network, skip_broken=False)
                eni.Renderer({"netrules_path": None}).render_network_state(state, target=work + "/alpine")
                netplan.Renderer({"netplan_path": "netplan.yaml", "postcmds": False}).render_network_state(
                    state, target=work + "/ubuntu")
                interfaces = open(work + "/alpine/etc/network/interfaces").read()
                names = [interface["name"] for interface in state.iter_interfaces()]
            except Exception as error:
                return dict(refusals=refusals + ["%s: %s" % (type(error).__name__, error)], instanceID="",
                            localHostname="", config="", network="", interfaces="", names=[], userData="", vendorData="")
            finally:
                shutil.rmtree(work)
                logging.getLogger().removeHandler(caught)
            refusals += ["warning: " + line for line in caught.lines]
            digest = lambda data: hashlib.sha256(data).hexdigest() if data else ""
            return dict(
                refusals=refusals, instanceID=source.metadata["instance-id"],
                localHostname=source.metadata["local-hostname"],
                config=json.dumps(safeyaml.load(found["user-data"]), sort_keys=True),
                network=json.dumps(network, sort_keys=True), interfaces=interfaces, names=sorted(names),
                userData=digest(source.userdata_raw), vendorData=digest(source.vendordata_raw))
        print(json.dumps([judge(line.rstrip("\\n")) for line in open(sys.argv[1])]))
        """
}

extension FileTree {
    /// Writes the files of the root into a directory that is made for them.
    func write(into directory: FilePath) throws {
        try HostFile.makeDirectory(directory)
        for entry in entries {
            guard case .file(.bytes(let bytes)) = entry.kind else { continue }
            try StagedFile.write(bytes, to: directory.appending(entry.path.string))
        }
    }
}
