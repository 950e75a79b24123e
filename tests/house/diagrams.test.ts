// The diagrams of the documents can be drawn, and what they name exists.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DOCUMENTS, exists, fences, readText } from "./documents.ts";
import { type Diagram, readDiagram } from "./mermaid.ts";

const diagrams = (
  await Promise.all(
    DOCUMENTS.map(async (document) =>
      fences(await readText(document), "mermaid").map((source, index) => ({
        title: `${document} ${index + 1}`,
        source,
      })),
    ),
  )
).flat();

for (const { title, source } of diagrams) {
  test(`DC-03: the diagram ${title} can be drawn`, () => {
    assert.ok(readDiagram(source).names.length > 2);
  });
}

const technical = fences(await readText("TECHNICAL.md"), "mermaid").map(readDiagram);
const ofKind = (kind: Diagram["kind"]) => technical.filter((diagram) => diagram.kind === kind);

test("DC-03: TECHNICAL.md draws the ways, a sign-in, the grant and the storage", () => {
  assert.deepEqual(
    [2, 1, 1],
    [ofKind("flowchart").length, ofKind("sequenceDiagram").length, ofKind("stateDiagram-v2").length],
  );
});

test("DC-03: the states of the diagram are those of the grant", async () => {
  const grant = await readText("src/oauth/grant/grant.ts");
  const states = Array.from(grant.matchAll(/readonly state: "(\w+)"/g), ([, state = ""]) => state);
  assert.deepEqual([...(ofKind("stateDiagram-v2")[0]?.names ?? [])].sort(), states.sort());
});

test("DC-03: the calls to the object in the sign-in are methods of its interface, and its paths are routes", async () => {
  const [{ texts } = { texts: [] as readonly string[] }] = ofKind("sequenceDiagram");
  const grants = await readText("src/oauth/grants.ts");
  const calls = texts.filter((text) => /^[a-z]+[A-Z]\w+$/.test(text));
  assert.deepEqual(calls, ["beginLogin", "completeLogin", "redeemCode"]);
  for (const call of calls) assert.match(grants, new RegExp(`\\b${call}\\(`));
  const routes = await readText("tests/house/surface.json");
  const paths = texts.flatMap((text) =>
    Array.from(text.matchAll(/(?:GET|POST) (\/[\w./-]*)/g), ([, path = ""]) => path),
  );
  assert.ok(paths.length > 5);
  assert.deepEqual(
    paths.filter((path) => !routes.includes(`"${path}`)),
    [],
  );
});

test("DC-03: the files that the diagrams name exist", async () => {
  const texts = ofKind("flowchart")
    .flatMap(({ texts }) => texts)
    .join(" ");
  const files = Array.from(texts.matchAll(/\b(?:[a-z]+\/[a-z-]+|[a-z-]+\.ts)\b/g), ([name]) =>
    name.endsWith(".ts") ? `src/${name}` : `src/${name}.ts`,
  );
  assert.ok(files.length > 2);
  const missing = await Promise.all(files.map(async (file) => ((await exists(file)) ? [] : [file])));
  assert.deepEqual(missing.flat(), []);
});

const BROKEN: readonly (readonly [what: string, source: string])[] = [
  ["no kind", "diagram\n a --> b"],
  ["a flowchart without direction", "flowchart\n a --> b"],
  ["a reserved word", "flowchart LR\n a --> end"],
  ["a bracket inside a text", "flowchart LR\n a[one (two)] --> b"],
  ["a text that is not closed", "flowchart LR\n a[one --> b"],
  ["an arrow without a head", "flowchart LR\n a -> b"],
  ["a group that is not closed", "flowchart LR\n subgraph g [title]\n a --> b"],
  ["an end too many", "flowchart LR\n a --> b\n end"],
  ["a slash that begins a shape", "flowchart LR\n a[/mcp] --> b"],
  ["an undeclared participant", "sequenceDiagram\n participant A\n A->>B: text"],
  ["a message without text", "sequenceDiagram\n participant A\n A->>A"],
  ["a semicolon", "sequenceDiagram\n participant A\n A->>A: one; two"],
  ["a transition without an arrow", "stateDiagram-v2\n a b"],
];

for (const [what, source] of BROKEN) {
  test(`self-check: refused, ${what}`, () => assert.throws(() => readDiagram(source)));
}
