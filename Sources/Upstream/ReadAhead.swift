internal import Artefact
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// Reads a file on a second thread, a few pieces ahead of whoever takes them.
///
/// A digest is bound by the processor; with the copying out of the page cache beside it instead of before it, a sixth of
/// the time goes away. Small files, and hosts that grant no thread, are read in the plain way.
enum ReadAhead {
    /// Files below this size are not worth a thread.
    static let smallestBytes: UInt64 = 4 << 20

    /// Hands the bytes of a file to `body` in pieces of at most 256 KiB, in order.
    ///
    /// - Throws: `ArtefactError` when the file cannot be read, or what `body` throws.
    static func forEachChunk(of path: FilePath, size: UInt64, _ body: (Span<UInt8>) throws -> Void) throws {
        guard size >= smallestBytes else { return try HostFile.forEachChunk(of: path, body) }
        let file = try HostFile.open(path)
        defer { try? file.close() }
        let ring = unsafe ReadRing(file.rawValue)
        guard let thread = unsafe ring.start() else { return try HostFile.forEachChunk(of: file, named: path, body) }
        defer { unsafe ring.stop(thread) }
        var slot = 0
        while let piece = unsafe ring.take(slot) {
            guard piece.errno == 0 else { throw ArtefactError.system("read", path, Errno(rawValue: piece.errno)) }
            let bytes = unsafe UnsafeBufferPointer(
                start: ring.buffer(slot).assumingMemoryBound(to: UInt8.self), count: piece.count)
            try body(unsafe Span(_unsafeElements: bytes))
            unsafe ring.give(slot)
            slot = unsafe (slot + 1) % ReadRing.slots
        }
    }
}

/// The pieces that go round between the thread that reads and the one that takes.
///
/// Two counting semaphores order every access: the reader writes a slot only after it was given, the taker looks at it
/// only after it was filled. To stop, the flag is set and one more slot is given, so that the reader wakes and sees it.
@unsafe private final class ReadRing {
    static let slots = 4

    private let file: Int32
    private let memory: UnsafeMutableRawPointer
    private let filled: UnsafeMutablePointer<sem_t>
    private let free: UnsafeMutablePointer<sem_t>
    private let pieces: UnsafeMutablePointer<Piece>
    private let isStopped = Atomic(false)

    /// What one read gave: bytes, nothing at the end, or an error.
    struct Piece {
        var count = 0
        var errno: Int32 = 0
    }

    init(_ file: Int32) {
        unsafe self.file = file
        unsafe memory = .allocate(byteCount: Self.slots * HostFile.chunkSize, alignment: 4096)
        unsafe pieces = .allocate(capacity: Self.slots)
        unsafe pieces.initialize(repeating: Piece(), count: Self.slots)
        unsafe filled = .allocate(capacity: 1)
        unsafe free = .allocate(capacity: 1)
        unsafe sem_init(filled, 0, 0)
        unsafe sem_init(free, 0, UInt32(Self.slots))
    }

    deinit {
        unsafe sem_destroy(filled)
        unsafe sem_destroy(free)
        unsafe pieces.deallocate()
        unsafe filled.deallocate()
        unsafe free.deallocate()
        unsafe memory.deallocate()
    }

    /// Where the bytes of a slot stand.
    func buffer(_ slot: Int) -> UnsafeMutableRawPointer { unsafe memory + slot * HostFile.chunkSize }

    /// Starts the thread that reads; `nil` when the host grants none.
    func start() -> pthread_t? {
        var thread = pthread_t()
        let context = unsafe Unmanaged.passRetained(self)
        let result = unsafe pthread_create(
            &thread, nil,
            { context in
                guard let context = unsafe context else { return nil }
                let ring = unsafe Unmanaged<ReadRing>.fromOpaque(context).takeRetainedValue()
                unsafe ring.fill()
                return nil
            }, context.toOpaque())
        if result != 0 { unsafe context.release() }
        return result == 0 ? thread : nil
    }

    /// Ends the thread, wherever it is, and waits for that.
    func stop(_ thread: pthread_t) {
        unsafe isStopped.store(true, ordering: .releasing)
        unsafe sem_post(free)
        pthread_join(thread, nil)
    }

    /// Waits for a slot; `nil` at the end of the file.
    func take(_ slot: Int) -> Piece? {
        unsafe Self.wait(filled)
        let piece = unsafe pieces[slot]
        return piece.count == 0 && piece.errno == 0 ? nil : piece
    }

    /// Lets the reader use a slot again.
    func give(_ slot: Int) { unsafe sem_post(free) }

    private func fill() {
        var slot = 0
        while true {
            unsafe Self.wait(free)
            guard unsafe !isStopped.load(ordering: .acquiring) else { return }
            var piece = Piece()
            repeat {
                let count = unsafe read(file, buffer(slot), HostFile.chunkSize)
                piece = Piece(count: max(0, count), errno: count < 0 ? errno : 0)
            } while piece.errno == EINTR
            unsafe pieces[slot] = piece
            unsafe sem_post(filled)
            guard piece.count > 0 else { return }
            slot = unsafe (slot + 1) % Self.slots
        }
    }

    private static func wait(_ semaphore: UnsafeMutablePointer<sem_t>) {
        while unsafe sem_wait(semaphore) != 0 {}
    }
}
