import Artefact
import SystemPackage
import TestSupport
import Testing

/// The manual pages and completions that are made from what the command says of itself.
@Suite struct ManualTests {
    @Test func `every command has a manual page with its options that mandoc and groff find nothing in`() async throws {
        let scratch = try Scratch()
        let script = """
            "$2/Packaging/manual" "$1" pages 1700000000
            mandoc -T lint -W warning pages/*.1
            for page in pages/*.1; do
                groff -ww -mandoc -Tutf8 "$page" > text 2> complaints; test ! -s complaints || cat complaints
                man -l --warnings -Tutf8 "$page" > text 2> complaints; test ! -s complaints || cat complaints
            done
            """
        let result = try await run(
            "sh", ["-ec", script, "sh", try Product.ksbuild.string, Product.checkout.string], in: scratch.path,
            environment: ["LC_ALL": "C.UTF-8"])
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        #expect(result.output.isEmpty, "\(result.output)")

        // What the pages say is held against what the command itself prints for people.
        let compared = try await run(
            "python3",
            [
                "-c",
                """
                import os, re, subprocess, sys
                def run(*words): return subprocess.run(words, check=True, capture_output=True, text=True).stdout
                def walk(words):
                    usage = run(sys.argv[1], "help", *words)
                    name = "-".join(["ksbuild"] + words)
                    page = run("mandoc", "-T", "ascii", "-O", "width=200", f"pages/{name}.1")
                    page = " ".join(re.sub(".\\b", "", page).split())
                    tags = "".join(line for line in open(f"pages/{name}.1") if line.startswith(".It "))
                    for option in re.findall(r"^  (?:-[a-z], )?(--[a-z0-9-]+)", usage, re.M):
                        if 'Fl "' + option[1:].replace("-", chr(92) + "-") + '"' not in tags:
                            sys.exit(f"{name}.1 does not tell of {option}")
                    entry = r"^  (?:(?:-[a-z], )?--[a-z0-9-]+(?: <[^>]+>)?|<[^>]+>)\\s{2,}(\\S+(?: \\S+)?)"
                    for said in re.findall(entry, usage, re.M):
                        if said not in page: sys.exit(f"{name}.1 does not say '{said}' of an argument")
                    for variable in variables:
                        if f".It Ev {variable}\\n" not in tags.replace(" , Ev ", "\\n.It Ev "):
                            sys.exit(f"{name}.1 does not tell of the variable {variable}")
                    if "November 14, 2023" not in page: sys.exit(f"{name}.1 has another date")
                    names.append(name + ".1")
                    listed = re.split(r"SUBCOMMANDS:", usage)[1:]
                    for child in re.findall(r"^  ([a-z]+)(?:  |$)", "".join(listed), re.M):
                        if child != "help": walk(words + [child])
                reads = r'''(?:Host\\.variable|\\bvariable|\\bvalue)\\("([A-Za-z_]+)"\\)|environment\\["([A-Z_]+)"\\]'''
                sources = [f"{folder}/{name}" for folder, _, files in os.walk(sys.argv[2]) for name in files]
                variables = {"".join(found) for name in sources if name.endswith(".swift")
                             for found in re.findall(reads, open(name).read())}
                if not {"SSL_CERT_FILE", "all_proxy", "DOCKER_CONFIG", "SOURCE_DATE_EPOCH"} <= variables:
                    sys.exit(f"{variables} are not what is read")
                names = []
                walk([])
                if sorted(names) != sorted(os.listdir("pages")): sys.exit(f"{names} differ from {os.listdir('pages')}")
                print(len(names))
                """, try Product.ksbuild.string, Product.checkout.pushing("Sources").string,
            ], in: scratch.path)
        #expect(compared.succeeded, "\(compared.errors)")
        #expect((Int(compared.output.dropLast()) ?? 0) > 40)
    }

    @Test func `bash completes commands, options, files by kind and the versions there are`() async throws {
        let scratch = try Scratch()
        let script = """
            mkdir -p bin out/bundles/1.0.0 out/bundles/1.10.0 out/bundles/1.9.0 out/bundles/junk other/bundles/3.0.0
            ln -s "$1" bin/ksbuild; PATH=$PWD/bin:$PATH; mkdir files; touch files/edge.yaml files/notes.txt
            source /usr/share/bash-completion/bash_completion
            source <(ksbuild --generate-completion-script bash)
            ask() {
                COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_KEY=9 COMPREPLY=(); COMP_WORDS=($1)
                if [[ $1 == *" " ]]; then COMP_WORDS+=(""); fi
                COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
                _ksbuild ksbuild "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
                echo "$1: ${COMPREPLY[*]}"
            }
            ask "ksbuild act"; ask "ksbuild vm u"; ask "ksbuild vm upg"; ask "ksbuild bundle --si"
            (cd files; ask "ksbuild plan --recipe ")
            ask "ksbuild activate "; ask "ksbuild boot --to 1.1"; ask "ksbuild activate --out other "
            """
        let result = try await run("bash", ["-c", script, "bash", try Product.ksbuild.string], in: scratch.path)
        #expect(
            result.output == """
                ksbuild act: activate
                ksbuild vm u: up upgrade
                ksbuild vm upg: upgrade
                ksbuild bundle --si: --sign
                ksbuild plan --recipe : edge.yaml
                ksbuild activate : 1.10.0 1.9.0 1.0.0
                ksbuild boot --to 1.1: 1.10.0
                ksbuild activate --out other : 3.0.0

                """, "\(result.output)\(result.errors)")
    }

    @Test func `zsh and fish take their completions`() async throws {
        let scratch = try Scratch()
        let script = """
            mkdir bin; ln -s "$1" bin/ksbuild; PATH=$PWD/bin:$PATH
            ksbuild --generate-completion-script zsh > _ksbuild; zsh -n _ksbuild; head -n 1 _ksbuild
            ksbuild --generate-completion-script fish > ksbuild.fish; fish --no-execute ksbuild.fish
            fish --no-config -c 'source ksbuild.fish; complete -C "ksbuild vm up"' | cut -f 1
            """
        let result = try await run("sh", ["-ec", script, "sh", try Product.ksbuild.string], in: scratch.path)
        #expect(result.output == "#compdef ksbuild\nup\nupgrade\n", "\(result.output)\(result.errors)")
    }
}
