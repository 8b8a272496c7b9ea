import MachineSamples
import Testing

/// Gives each test of a suite, or a single one, a place for its machines.
struct BootSlotTrait: SuiteTrait, TestTrait, TestScoping {
    /// How often a test starts a machine, about.
    let boots: Int

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        try await BootSlots.shared.use(boots: boots) { try await function() }
    }
}

extension Trait where Self == BootSlotTrait {
    /// A test with one machine at a time, which waits for a place.
    static func boots(_ count: Int) -> BootSlotTrait { BootSlotTrait(boots: count) }
}
