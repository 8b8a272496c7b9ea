import ArgumentParser
import Recipe

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Print the JSON Schema of a recipe.")

    @Flag(help: "Print the reference page instead.")
    var reference = false

    func run() throws { Console.print(reference ? RecipeReference.markdown : Recipe.jsonSchema) }
}
