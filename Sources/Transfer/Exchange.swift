internal import Artefact
internal import CCurl
internal import SystemPackage

/// One request and its answer, by libcurl.
///
/// libcurl follows no redirect and reads no environment here: each hop is an exchange of its own, for which
/// ``CurlRequest`` decides what the server may see.
enum Exchange {
    /// What an exchange comes to.
    enum Ending {
        /// All bytes that the answer promised are there.
        case ended
        /// The file is somewhere else.
        case redirect(String)
        /// What is there already is not the beginning of what the server has.
        case startOver
        /// It may be had later.
        case later(String, after: Int?)
    }

    /// Asks for what is missing of a file.
    ///
    /// - Parameters:
    ///   - address: Where to ask; after a redirect another one than the task's.
    ///   - task: What is wanted.
    ///   - partial: What is there; it grows.
    ///   - stated: Is set to the size that the sender states.
    /// - Returns: How it ended.
    /// - Throws: ``TransferError``, or `ArtefactError` where the disk refuses.
    static func run(
        _ address: Address, _ task: TransferTask, _ partial: PartialFile, stated: inout UInt64?
    ) throws -> Ending {
        let receiver = Receiver(task, partial, subject: address.shown)
        let request = try CurlRequest(address, task)
        let answer = try request.perform(receiver)
        if let failure = receiver.failure { throw failure }
        if task.isCancelled() { throw task.cancelled }
        stated = receiver.total
        switch receiver.verdict {
        case .redirect(let location): return .redirect(location)
        case .startOver: return .startOver
        case .later(let reason, let seconds): return .later(reason, after: seconds)
        case .body where answer.code == CURLE_OK: return .ended
        case .body, nil: return try judge(answer, address, task, after: partial.size)
        }
    }

    /// What an exchange that failed means: something that may pass, or an error.
    static func judge(
        _ answer: CurlRequest.Answer, _ address: Address, _ task: TransferTask, after bytes: UInt64
    ) throws -> Ending {
        func error(_ code: TransferError.Code, _ detail: String) -> TransferError {
            TransferError(code, subject: address.shown, detail: detail)
        }
        // libcurl quotes a proxy that it cannot use, password and all.
        let isSecret = answer.text.contains("@") || task.settings.proxies.contains { answer.text.contains($0) }
        let said = isSecret ? "it cannot be used as it is written" : answer.text
        switch answer.code {
        case CURLE_COULDNT_RESOLVE_HOST: return .later("the host's name is not known (\(said))", after: nil)
        case CURLE_COULDNT_RESOLVE_PROXY: return .later("the proxy's address leads nowhere", after: nil)
        case CURLE_COULDNT_CONNECT: return .later("no connection can be made (\(said))", after: nil)
        case CURLE_OPERATION_TIMEDOUT: return .later("the server takes too long (\(said))", after: nil)
        case CURLE_RECV_ERROR, CURLE_PROXY:
            if (400..<500).contains(answer.proxyStatus) {
                throw error(
                    .denied,
                    "the proxy does not let this client through (it answers \(answer.proxyStatus)); check"
                        + " HTTPS_PROXY, or name the host in NO_PROXY")
            }
            return .later("the connection broke (\(said))", after: nil)
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_SEND_FAIL_REWIND:
            return .later("the connection ended after \(bytes) bytes (\(said))", after: nil)
        case CURLE_PEER_FAILED_VERIFICATION:
            throw error(
                .untrustedServer,
                answer.isChainTrusted
                    ? "the server's certificate is for another host (\(said)); check the address"
                    : "the server's certificate is not trusted (\(said)); where a CA of your own signed it, name that"
                        + " CA with --ca-file FILE")
        case CURLE_SSL_CACERT_BADFILE:
            throw TransferError(
                .invalidSetting, subject: task.settings.certificates?.string ?? "certificates",
                detail: "holds no certificates that can be read; give a file in PEM form")
        case CURLE_SSL_CONNECT_ERROR:
            let isBroken = [Errno.connectionReset, .brokenPipe].contains(Errno(rawValue: answer.errno))
            if isBroken { return .later("the connection broke while TLS began (\(said))", after: nil) }
            throw error(.withoutTLS, "TLS cannot be agreed upon (\(said))")
        default: throw error(.unavailable, "cannot be fetched (\(said))")
        }
    }
}
