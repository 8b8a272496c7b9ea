import Artefact
import Node
import SystemPackage
import TestSupport
import Testing

@testable import Recipe

struct BrokenRecipeTests {
    @Test(arguments: brokenDocuments + brokenKeys + brokenValues + brokenNetworks + brokenAccess)
    func `a broken recipe is refused at the very place`(broken: BrokenRecipe) throws {
        let error = #expect(throws: RecipeFaults.self) { try decoded(broken.text) }
        let faults = try #require(error)
        #expect(faults.failureClass == .data)
        let fault = try #require(faults.faults.first)
        #expect(faults.faults.count == 1, "\(faults)")
        #expect(SourcePosition(line: fault.line, column: fault.column) == broken.position, "\(fault)")
        #expect(fault.keyPath == broken.keyPath, "\(fault)")
        #expect(fault.description.contains(broken.message), "\(fault)")
        #expect(!fault.description.contains("\n"))
        #expect(fault.description.hasPrefix("r.yaml:\(fault.line):\(fault.column): "))
    }

    @Test func `the corpus is large`() {
        #expect((brokenDocuments + brokenKeys + brokenValues + brokenNetworks + brokenAccess).count >= 150)
    }
}
