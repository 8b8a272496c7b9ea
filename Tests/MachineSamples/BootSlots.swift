/// Places for machines: as many may run at once as a host with two processors carries.
///
/// Whoever boots most goes first, so that at the end of a run no long test is alone while a place is free.
public actor BootSlots {
    /// The places of this process.
    public static let shared = BootSlots(count: 2)

    private var free: Int
    private var waiting: [(boots: Int, place: CheckedContinuation<Void, Never>)] = []
    private var hasOpened = false
    private var opening: Task<Void, any Error>?

    private init(count: Int) { free = count }

    private func take(boots: Int) async {
        await withCheckedContinuation { place in
            waiting.append((boots, place))
            // The tests of a run ask within a moment of each other, in any order.
            if opening == nil {
                opening = Task {
                    try await Task.sleep(for: .seconds(1))
                    hasOpened = true
                    grant()
                }
            }
            grant()
        }
    }

    private func give() {
        free += 1
        grant()
    }

    private func grant() {
        while hasOpened, free > 0, let most = waiting.map(\.boots).max(),
            let index = waiting.firstIndex(where: { $0.boots == most })
        {
            free -= 1
            waiting.remove(at: index).place.resume()
        }
    }

    /// Runs something that has one machine at a time, as soon as there is a place for it.
    ///
    /// - Parameters:
    ///   - boots: How often it starts a machine, about.
    ///   - body: What runs.
    public nonisolated func use<Value>(
        boots: Int, _ body: () async throws -> sending Value
    ) async rethrows -> sending Value {
        await take(boots: boots)
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
