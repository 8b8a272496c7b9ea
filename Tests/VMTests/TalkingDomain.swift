import Artefact
import LibvirtSupport
import SystemPackage
import TestSupport

/// A domain of the guest that talks, with nothing of ksbuild in it: what libvirt itself does in the jail.
struct TalkingDomain {
    let name: String
    /// The log of the serial port, as those in the jail see it.
    let serialLog: FilePath
    /// Its description, a file on the host and in the jail.
    let description: FilePath

    /// Lays its files down, its image where the daemon can read it.
    init(_ name: String, saying text: String, in jail: LibvirtJail, _ scratch: borrowing Scratch) throws {
        self.name = name
        serialLog = FilePath("/var/log/libvirt/qemu/\(name).serial")
        let image = FilePath("/var/lib/libvirt/images/\(name).iso")
        let written = try TalkingGuest.write(saying: text, to: scratch)
        try StagedFile.write(try HostFile.read(written, limit: 1 << 20), to: jail.onHost(image), mode: .file)
        description = try scratch.file(
            "\(name).xml",
            """
            <domain type='qemu'>
              <name>\(name)</name>
              <memory unit='MiB'>64</memory>
              <vcpu>1</vcpu>
              <os><type arch='x86_64' machine='q35'>hvm</type></os>
              <features><acpi/></features>
              <devices>
                <disk type='file' device='cdrom'>
                  <driver name='qemu' type='raw'/>
                  <source file='\(image)'/>
                  <target dev='sda' bus='sata'/>
                  <readonly/>
                  <boot order='1'/>
                </disk>
                <interface type='network'><source network='default'/><model type='virtio'/></interface>
                <serial type='pty'><log file='\(serialLog)' append='on'/></serial>
                <memballoon model='none'/>
              </devices>
            </domain>
            """)
    }

    /// Waits until the guest has said a text, at most a minute.
    func waits(for text: String, in jail: LibvirtJail) async throws -> Bool {
        for _ in 0..<600 {
            let log = (try? HostFile.read(jail.onHost(serialLog), limit: 1 << 20)) ?? []
            if String(decoding: log, as: UTF8.self).contains(text) { return true }
            try await Task.sleep(for: .milliseconds(100))
        }
        return false
    }

    /// Waits until libvirt tells a state, at most a minute; returns the last one.
    func state(awaiting wanted: String, in jail: LibvirtJail) async throws -> String {
        var state = ""
        for _ in 0..<600 {
            state = try await jail.virsh("domstate", name).output.split(separator: "\n").first.map(String.init) ?? ""
            if state == wanted { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        return state
    }
}
