import Testing

/// Places for machines: as many may run at once as a host with two processors carries.
actor BootSlots {
    static let shared = BootSlots(count: 2)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(count: Int) { free = count }

    private func take() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    private func give() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }

    /// Runs something that has one machine at a time, as soon as there is a place for it.
    nonisolated func use<Value>(_ body: () async throws -> sending Value) async rethrows -> sending Value {
        await take()
        do {
            let value = try await body()
            await give()
            return value
        } catch {
            await give()
            throw error
        }
    }
}

/// Gives each test of a suite one place for its machines.
struct BootSlotTrait: SuiteTrait, TestTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        try await BootSlots.shared.use { try await function() }
    }
}

extension Trait where Self == BootSlotTrait {
    /// A test with one machine at a time, which waits for a place.
    static var oneMachine: BootSlotTrait { BootSlotTrait() }
}
