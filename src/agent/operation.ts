import * as v from "valibot";
import { nextOf } from "../graph/paging.ts";
import type { ProtectedCall } from "../mcp/call.ts";
import { presentResource, RESOURCES, type Resource } from "../resources/index.ts";
import { defineTool, READS, type Tool } from "../tools/define.ts";
import { findTool } from "../tools/index.ts";

/** What a protected call runs. A resource is read like a tool without arguments. */
export function findOperation({ kind, name }: ProtectedCall): Tool {
  const resource = kind === "resource" ? RESOURCES.find((one) => one.name === name) : undefined;
  const tool = kind === "tool" ? findTool(name) : resource && toolOf(resource);
  if (tool === undefined) throw new Error("a call of what does not exist passed dispatch");
  return tool;
}

function toolOf(resource: Resource): Tool {
  const { name, description, scopes, path, tolerates } = resource;
  return defineTool({
    name: `resource:${name}`,
    description,
    scopes,
    annotations: READS,
    input: v.strictObject({}),
    answer: resource.answer,
    output: v.object({}),
    build: () => ({ method: "GET", path, ...(tolerates && { tolerates }) }),
    next: (answers, _args, { follow }) =>
      resource.list === undefined
        ? undefined
        : // `answer` is a page where there is a list.
          nextOf(answers as unknown as Parameters<typeof nextOf>[0], { method: "GET" }, follow),
    present: (answers) => ({ structured: presentResource(resource, answers) }),
  });
}
