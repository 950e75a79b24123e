import * as v from "valibot";
import { nextOf } from "../graph/paging.ts";
import type { ProtectedCall } from "../mcp/call.ts";
import { presentResource, RESOURCES, type Resource } from "../resources/index.ts";
import { defineTool, READS, type Tool } from "../tools/define.ts";
import { findTool } from "../tools/index.ts";

/** What a protected call runs. A resource is read like a tool without arguments. */
export function findOperation({ kind, name }: ProtectedCall): Tool {
  const tool = kind === "tool" ? findTool(name) : RESOURCES.filter((one) => one.name === name).map(toolOf)[0];
  if (tool === undefined) throw new Error("unknown operation");
  return tool;
}

function toolOf(resource: Resource): Tool {
  const { list, path, tolerates, ...described } = resource;
  return defineTool({
    ...described,
    name: `resource:${resource.name}`,
    annotations: READS,
    input: v.strictObject({}),
    output: v.object({}),
    build: () => ({ method: "GET", path, tolerates }),
    next: (answers, _args, { follow }) =>
      // `answer` is a page where there is a list. Nothing says how to go on, so a page that fails is the answer (RS-04).
      list === undefined
        ? undefined
        : nextOf(answers as unknown as Parameters<typeof nextOf>[0], { method: "GET" }, follow),
    present: (answers) => ({ structured: presentResource(resource, answers) }),
  });
}
