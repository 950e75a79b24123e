/**
 * A strict reader of the part of Mermaid that the documents use. What it accepts Mermaid draws; it refuses much that
 * Mermaid would accept. Grammar: mermaid.js.org, syntax of flowcharts, sequence diagrams and state diagrams.
 */
export interface Diagram {
  readonly kind: "flowchart" | "sequenceDiagram" | "stateDiagram-v2";
  /** Nodes, participants or states, in order of appearance. */
  readonly names: readonly string[];
  /** Everything a reader reads in it. */
  readonly texts: readonly string[];
}

/** @throws Error that names the line which cannot be read */
export function readDiagram(source: string): Diagram {
  const [head = "", ...lines] = source.split("\n").map((line) => line.trim());
  const [kind = "", direction] = head.split(" ");
  const body = lines.filter((line) => line !== "" && !line.startsWith("%%"));
  if (kind === "flowchart" && /^(LR|RL|TB|TD|BT)$/.test(direction ?? "")) return readFlowchart(body);
  if (kind === "sequenceDiagram" && direction === undefined) return readSequence(body);
  if (kind === "stateDiagram-v2" && direction === undefined) return readStates(body);
  throw new Error(`no kind of diagram: '${head}'`);
}

/** A word that Mermaid would take for its own. */
const RESERVED = /^(end|graph|subgraph|flowchart|default|style|class|click|call|href|direction|linkStyle|classDef)$/;

/** Brackets, quotes, bars and semicolons end a text. */
const PLAIN = String.raw`[^[\](){}|"<>;#]+`;
const NODE = new RegExp(String.raw`^([A-Za-z]\w*)(?:\[\((${PLAIN})\)\]|\[(${PLAIN})\]|\((${PLAIN})\)|\{(${PLAIN})\})?`);
const EDGE = new RegExp(String.raw`^(?:-->|---|-\.->|==>)(?:\|(${PLAIN})\|)? `);

function readFlowchart(lines: readonly string[]): Diagram {
  const names = new Set<string>();
  const texts: string[] = [];
  let depth = 0;
  for (const line of lines) {
    const [, group, title] = new RegExp(String.raw`^subgraph ([A-Za-z]\w*) \[(${PLAIN})\]$`).exec(line) ?? [];
    if (group !== undefined) {
      depth += 1;
      names.add(group);
      texts.push(title ?? "");
    } else if (line === "end") {
      depth -= 1;
      if (depth < 0) throw new Error("'end' without 'subgraph'");
    } else readChain(line, names, texts);
  }
  if (depth !== 0) throw new Error("'subgraph' without 'end'");
  return { kind: "flowchart", names: [...names], texts };
}

/** `a[text] -->|text| b --> c` */
function readChain(line: string, names: Set<string>, texts: string[]): void {
  let rest = line;
  for (;;) {
    const node = NODE.exec(rest);
    if (node === null) throw new Error(`no node at '${rest}' in '${line}'`);
    const [all, name = "", ...shapes] = node;
    if (RESERVED.test(name)) throw new Error(`'${name}' is a word of Mermaid's in '${line}'`);
    const text = shapes.find((shape) => shape !== undefined);
    // A slash here would begin another shape.
    if (text !== undefined && /^[/\\]|[/\\]$/.test(text)) throw new Error(`a slash at the edge of a text in '${line}'`);
    names.add(name);
    texts.push(text ?? name);
    rest = rest.slice(all.length).trimStart();
    if (rest === "") return;
    const edge = EDGE.exec(rest);
    if (edge === null) throw new Error(`no edge at '${rest}' in '${line}'`);
    if (edge[1] !== undefined) texts.push(edge[1]);
    rest = rest.slice(edge[0].length);
  }
}

function readSequence(lines: readonly string[]): Diagram {
  const names = new Set<string>();
  const texts: string[] = [];
  for (const line of lines) {
    if (line === "autonumber") continue;
    const [, name, label] = /^(?:participant|actor) ([A-Za-z]\w*)(?: as ([^;#]+))?$/.exec(line) ?? [];
    if (name !== undefined) {
      if (RESERVED.test(name)) throw new Error(`'${name}' is a word of Mermaid's`);
      names.add(name);
      texts.push(label ?? name);
      continue;
    }
    const [, from, to, said] =
      /^([A-Za-z]\w*)(?:->>|-->>|->|-->|-x|--x)([A-Za-z]\w*): ([^;#]+)$/.exec(line) ??
      /^Note (?:over|left of|right of) ([A-Za-z]\w*)(?:,([A-Za-z]\w*))?: ([^;#]+)$/.exec(line) ??
      [];
    if (from === undefined) throw new Error(`not a message: '${line}'`);
    for (const one of [from, to]) {
      if (one !== undefined && !names.has(one)) throw new Error(`'${one}' is no participant in '${line}'`);
    }
    texts.push(said ?? "");
  }
  return { kind: "sequenceDiagram", names: [...names], texts };
}

function readStates(lines: readonly string[]): Diagram {
  const names = new Set<string>();
  const texts: string[] = [];
  for (const line of lines) {
    const [, from, to, said] = /^(\[\*\]|[A-Za-z]\w*) --> (\[\*\]|[A-Za-z]\w*)(?:: ([^;#]+))?$/.exec(line) ?? [];
    if (from === undefined || to === undefined) throw new Error(`not a transition: '${line}'`);
    for (const one of [from, to]) if (one !== "[*]") names.add(one);
    texts.push(said ?? "");
  }
  return { kind: "stateDiagram-v2", names: [...names], texts };
}
